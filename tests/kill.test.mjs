// Killed at any moment: what was answered is there, and what is there adds up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { post } from './photo.mjs';
import { random } from './random.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';

const kills = 30;

test('kill -9 in a storm of likes loses and doubles nothing', async (t) => {
  const service = await serve(t);
  const { below, chance } = random(t);
  const ada = await service.as('ada');
  const admin = await service.admin();
  const crowd = await service.crowd(8);
  const photos = [];
  for (let n = 0; n < 6; n++) photos.push((await post(ada)).id);

  const known = new Map(); // by person and photo: the id of the like, '' for none; missing while an answer never came
  for (const pb of crowd) for (const photo of photos) known.set(key(id(pb), photo), '');
  let answered = 0;
  let unanswered = 0;

  for (let round = 0; round < kills; round++) {
    let alive = true;
    const after = answered + below(30);
    let enough;
    const reached = new Promise((done) => (enough = done));
    const storm = crowd.map(async (pb) => {
      while (alive) {
        const photo = photos[below(photos.length)];
        const at = key(id(pb), photo);
        const like = known.get(at);
        known.delete(at);
        try {
          if (like && chance(0.4)) {
            await pb.collection('likes').delete(like);
            known.set(at, '');
          } else {
            known.set(at, (await pb.collection('likes').create({ post: photo })).id);
          }
        } catch (err) {
          if (err.status !== 0) throw err;
          unanswered++;
          return;
        }
        if (++answered > after) enough();
      }
    });
    await Promise.race([reached, Promise.all(storm)]);
    await moment(below(6));
    await service.kill();
    alive = false;
    await Promise.all(storm);
    await service.start();
    await addsUp(admin, ada, known, photos);
  }
  t.diagnostic(`${kills} kills, ${answered} answers, ${unanswered} without an answer`);
  assert.ok(answered > kills && unanswered >= kills, `${answered} answers, ${unanswered} without`);
});

test('asked to stop, it answers what has begun, ends well and starts again', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const crowd = await service.crowd(12);
  const { id: photo } = await post(ada);
  await listen(ada, 'notifications/*');
  const likes = crowd.map((pb) => pb.collection('likes').create({ post: photo }).then(() => id(pb), () => null));
  await Promise.race(likes);
  await service.restart();
  const answered = (await Promise.all(likes)).filter(Boolean);
  const admin = await service.admin();
  const stored = (await admin.collection('likes').getFullList()).map((row) => row.user);
  assert.deepEqual(answered.filter((user) => !stored.includes(user)), [], 'likes that were answered and lost');
  assert.equal((await ada.collection('posts').getOne(photo)).likesCount, stored.length);
});

const key = (user, photo) => `${user} ${photo}`;

/** Compares what is stored with the answers, and with itself; then takes over what it found. */
async function addsUp(admin, ada, known, photos) {
  const rows = await admin.collection('likes').getFullList();
  const stored = new Map(rows.map((row) => [key(row.user, row.post), row.id]));
  assert.equal(stored.size, rows.length, 'a like is there twice');
  for (const [at, like] of known) assert.equal(stored.get(at) ?? '', like, `the answered like of ${at}`);

  const posts = await admin.collection('posts').getFullList();
  const notifications = await ada.collection('notifications').getFullList();
  const events = await admin.collection('notification_events').getFullList({ filter: 'active = true' });
  for (const photo of photos) {
    const likers = rows.filter((row) => row.post === photo).map((row) => row.user).sort();
    assert.equal(posts.find((row) => row.id === photo).likesCount, likers.length, 'likesCount');
    const told = notifications.filter((row) => row.post === photo);
    assert.deepEqual(told.map((row) => row.actorsCount), likers.length ? [likers.length] : [], 'actorsCount');
    assert.deepEqual(told.flatMap((row) => row.actors).sort(), likers, 'actors');
    const places = events.filter((row) => row.subject === photo);
    assert.deepEqual(places.map((row) => row.actor).sort(), likers, 'places in the notification');
    assert.ok(places.every((row) => row.notification === told[0].id), 'places in another notification');
  }
  assert.equal(new Set(notifications.map((row) => row.seq)).size, notifications.length, 'a seq is there twice');
  for (const at of allKeys(known, stored)) known.set(at, stored.get(at) ?? '');
}

const allKeys = (known, stored) => new Set([...known.keys(), ...stored.keys()]);
