// Sent again through the SDK when an answer was lost: stored once, and answered as the first time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { records, refused, send } from './http.mjs';
import { post, smallPhoto } from './photo.mjs';
import { proxy } from './proxy.mjs';
import { random } from './random.mjs';
import { serve } from './service.mjs';

const withKey = (key) => ({ headers: { 'Idempotency-Key': key } });

test('an upload whose answer is cut off is posted once', async (t) => {
  const service = await serve(t);
  await service.as('ada');
  const line = await proxy(t, service.port);
  const ada = await service.device('ada', line.url);
  const replayed = [];
  ada.afterSend = (response, data) => {
    replayed.push(response.headers.get('idempotent-replayed'));
    return data;
  };
  for (const collection of ['posts', 'stories']) {
    const fields = collection === 'posts' ? () => ({ caption: 'hello', photos: [smallPhoto()] }) : () => ({ photo: smallPhoto() });
    const key = `${collection}-${crypto.randomUUID()}`;
    line.harm(() => 20);
    const lost = await ada.collection(collection).create(fields(), withKey(key)).catch((err) => err);
    assert.equal(lost.status, 0, 'no answer came');
    line.heal();
    const again = await ada.collection(collection).create(fields(), withKey(key));
    assert.equal(replayed.at(-1), 'true');
    const rows = await ada.collection(collection).getFullList();
    assert.deepEqual(rows.map((row) => row.id), [again.id]);
    await refused(ada.collection(collection).create({ ...fields(), visibility: 'followers' }, withKey(key)), 422);
  }
});

test('an item of a batch has a key of its own', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const { id: photo } = await post(ada);
  const sendBatch = () => {
    const batch = ada.createBatch();
    for (const text of ['one', 'two']) batch.collection('comments').create({ post: photo, text }, withKey(text));
    return batch.send();
  };
  assert.deepEqual(await sendBatch(), await sendBatch());
  assert.equal((await ada.collection('posts').getOne(photo)).commentsCount, 2);
});

test('twenty at once are one comment', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(bob, 'POST', records('comments'), { post: photo, text: 'hello' }, withKey('key').headers)));
  assert.deepEqual(answers.map((a) => a.status), Array(20).fill(200));
  assert.equal(new Set(answers.map((a) => a.text)).size, 1, 'all answers are the same record');
  assert.equal(answers.filter((a) => a.headers['idempotent-replayed'] !== 'true').length, 1, 'one of them was the first');
  assert.equal((await ada.collection('posts').getOne(photo)).commentsCount, 1);
});

test('kill -9 in a storm of comments: each is sent until it is answered, and stored once', async (t) => {
  const service = await serve(t);
  const { below, chance } = random(t);
  const ada = await service.as('ada');
  const crowd = await service.crowd(6);
  const { id: photo } = await post(ada);
  const kills = 12;
  const answered = new Map(); // by text: the id of the comment
  let unanswered = 0;
  let replayed = 0;
  let storm = true;
  let up = Promise.resolve(); // while it is down: until it is up again

  const people = crowd.map(async (pb, who) => {
    pb.afterSend = (response, data) => {
      if (response.headers.get('idempotent-replayed')) replayed++;
      return data;
    };
    for (let n = 0; storm; n++) {
      const text = `comment ${n} of ${who}`;
      const chosen = chance(0.5);
      const id = `again${String(who).padStart(2, '0')}${String(n).padStart(8, '0')}`;
      while (!answered.has(text)) {
        await up;
        try {
          const row = await pb.collection('comments').create({ post: photo, text, ...(chosen && { id }) }, chosen ? {} : withKey(`${text.replaceAll(' ', '-')}`));
          answered.set(text, row.id);
        } catch (err) {
          if (err.status !== 0) throw err;
          unanswered++;
          await moment(1); // the kill is not known here yet
        }
      }
    }
  });
  for (let round = 0; round < kills; round++) {
    const enough = answered.size + 5 + below(20);
    while (answered.size < enough) await moment(1);
    let started;
    up = new Promise((done) => (started = done));
    await service.kill();
    await service.start();
    started();
  }
  storm = false;
  await Promise.all(people);
  t.diagnostic(`${answered.size} comments, ${unanswered} requests without an answer, ${replayed} of them had been stored`);

  assert.ok(unanswered > 0, 'no kill met a request');

  const admin = await service.admin();
  const stored = await admin.collection('comments').getFullList();
  assert.deepEqual(Object.fromEntries(stored.map((row) => [row.text, row.id]).sort()), Object.fromEntries([...answered].sort()));
  assert.equal(stored.length, answered.size, 'a comment is there twice');
  assert.equal((await ada.collection('posts').getOne(photo)).commentsCount, answered.size);
  assert.equal((await admin.collection('notification_events').getFullList({ filter: 'active = true' })).length, crowd.length);
});
