// Likes: once each, counted exactly, told once, under any crowd.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, records, refused, send } from './http.mjs';
import { post } from './photo.mjs';
import { random } from './random.mjs';
import { id, serve } from './service.mjs';

const told = (pb) => pb.collection('notifications').getFullList({ sort: '-latestAt,-id' });

test('twenty taps at once are one like', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(bob, 'POST', records('likes'), { post: photo })));

  assert.deepEqual(answers.map((a) => a.status), Array(20).fill(200));
  assert.equal(new Set(answers.map((a) => a.text)).size, 1, 'all answers are the same record');
  assert.equal((await bob.collection('likes').getList()).totalItems, 1);
  assert.equal((await bob.collection('posts').getOne(photo)).likesCount, 1);
  const [notification, ...more] = await told(ada);
  assert.equal(more.length, 0);
  assert.deepEqual([notification.actorsCount, notification.actors], [1, [id(bob)]]);
});

test('likes and unlikes of many while the caption changes', async (t) => {
  const service = await serve(t);
  const { below, chance } = random(t);
  const ada = await service.as('ada');
  const people = await service.crowd(24);
  const { id: photo } = await post(ada, { caption: 'first' });

  const plans = people.map(() => Array.from({ length: 3 + below(4) }, () => chance(0.6)));
  const likers = people.filter((_, i) => plans[i].at(-1));
  let caption = '';
  let storm = true;
  const edits = (async () => {
    for (let n = 1; storm; n++) caption = (await ada.collection('posts').update(photo, { caption: `edit ${n}` })).caption;
  })();
  await Promise.all(people.map(async (pb, i) => {
    for (const likes of plans[i]) {
      if (likes) await pb.collection('likes').create({ post: photo });
      else await unlike(pb, photo);
    }
  }));
  storm = false;
  await edits;

  const admin = await service.admin();
  const rows = await admin.collection('likes').getFullList({ filter: `post = "${photo}"` });
  assert.deepEqual(rows.map((row) => row.user).sort(), likers.map(id).sort());
  const now = await ada.collection('posts').getOne(photo);
  assert.equal(now.likesCount, likers.length);
  assert.equal(now.caption, caption);
  const notifications = await told(ada);
  assert.deepEqual(notifications.map((n) => n.actorsCount), likers.length ? [likers.length] : []);
  assert.equal(notifications[0]?.actors.length ?? 0, Math.min(8, likers.length));
});

async function unlike(pb, photo) {
  const { liked } = await pb.collection('posts').getOne(photo);
  if (liked) await pb.collection('likes').delete(liked);
}

test('an unlike takes the notification along, and liking again is silent', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const like = await bob.collection('likes').create({ post: photo });
  const [first] = await told(ada);
  await bob.collection('likes').delete(like.id);
  assert.deepEqual(await told(ada), []);
  await refused(bob.collection('likes').delete(like.id), 404);
  const [gone] = await ada.collection('retractions').getFullList();
  assert.equal(gone.notification, first.id);
  assert.ok(gone.seq > first.seq);

  const again = await bob.collection('likes').create({ post: photo });
  assert.equal(again.id, like.id);
  const [back] = await told(ada);
  assert.deepEqual([back.read, back.latestAt, back.actorsCount], [true, first.latestAt, 1]);
  assert.ok(back.seq > gone.seq);
});

test('a like of oneself is counted and told to nobody', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const { id: photo } = await post(ada);
  await ada.collection('likes').create({ post: photo });
  assert.equal((await ada.collection('posts').getOne(photo)).likesCount, 1);
  assert.deepEqual(await told(ada), []);
});

test('a refused like and a missing post are the same to the byte', async (t) => {
  const service = await serve(t);
  const [ada, bob, dave, mallory] = await service.cast('ada', 'bob', 'dave', 'mallory');
  const admin = await service.admin();
  await mallory.collection('blocks').create({ blocked: id(bob) });
  const moderated = await post(ada);
  await admin.collection('posts').update(moderated.id, { hidden: true });
  const closed = await post(dave);
  await dave.collection('users').update(id(dave), { private: true });
  const unseen = {
    followers: await post(ada, { visibility: 'followers' }),
    private: await post(ada, { visibility: 'private' }),
    'of somebody I block': await post(bob),
    hidden: moderated,
    'of a private account': closed,
  };
  // who is blocked does not see whom they would block
  await admin.collection('blocks').create({ blocker: id(bob), blocked: id(mallory) });
  const like = (pb, to) => send(pb, 'POST', records('likes'), { post: to });
  const view = (pb, of) => send(pb, 'GET', records('posts', of));

  for (const pb of [mallory, service.guest()]) {
    const noLike = bytes(await like(pb, 'nosuchpost00000'));
    const noView = bytes(await view(pb, 'nosuchpost00000'));
    assert.equal(noLike.status, 400);
    assert.equal(noView.status, 404);
    for (const [why, { id: photo }] of Object.entries(unseen)) {
      if (why === 'of somebody I block' && pb !== mallory) continue;
      assert.deepEqual(bytes(await like(pb, photo)), noLike, why);
      assert.deepEqual(bytes(await view(pb, photo)), noView, why);
    }
  }
  assert.equal((await admin.collection('likes').getList()).totalItems, 0);
  assert.equal((await admin.collection('notifications').getList()).totalItems, 0);
});

test('a batch is done as a whole or not at all', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const seen = await post(ada);
  const unseen = await post(ada, { visibility: 'private' });
  const batch = (...posts) => send(bob, 'POST', '/api/batch', { requests: posts.map((of) => ({ method: 'POST', url: records('likes'), body: { post: of } })) });
  const state = async () => [(await bob.collection('likes').getList()).totalItems, (await ada.collection('posts').getOne(seen.id)).likesCount, (await told(ada)).length];

  assert.equal((await batch(seen.id, unseen.id)).status, 400);
  assert.equal((await batch(seen.id, seen.id, 'nosuchpost00000')).status, 400);
  assert.deepEqual(await state(), [0, 0, 0]);
  assert.equal((await batch(seen.id, seen.id)).status, 200);
  assert.deepEqual(await state(), [1, 1, 1]);
  assert.equal((await batch(seen.id, unseen.id)).status, 400);
  assert.deepEqual(await state(), [1, 1, 1]);
});
