// The product in one story: a photo, a like, and the owner who hears of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, records, send } from './http.mjs';
import { phonePhoto, post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';

const like = (pb, postId) => send(pb, 'POST', records('likes'), { post: postId });

test('a friend likes a photo and its owner hears of it at once', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const photo = await phonePhoto();
  assert.ok(photo.size > 2_000_000, `the photo has only ${photo.size} bytes`);
  const posted = await ada.collection('posts').create({ photos: [photo], caption: 'the sea' });
  const tray = await listen(ada, 'notifications/*', { expand: 'actors,post' });

  const asked = performance.now();
  const liked = await bob.collection('likes').create({ post: posted.id });
  const heard = await tray.next(({ record }) => record.type === 'like' && record.post === posted.id);
  console.log(`first like: the owner heard ${(heard.at - asked).toFixed(1)} ms after the tap`);

  assert.equal(heard.action, 'create');
  assert.deepEqual(heard.record.actors, [id(bob)]);
  assert.equal(heard.record.actorsCount, 1);
  assert.equal(heard.record.read, false);
  assert.equal(heard.record.expand.actors[0].handle, 'bob');
  assert.equal(heard.record.expand.post.caption, 'the sea');
  const seen = await bob.collection('posts').getOne(posted.id);
  assert.equal(seen.likesCount, 1);
  assert.equal(seen.liked, liked.id);
});

test('who may not see a post cannot like it, nor learn that it is there', async (t) => {
  const service = await serve(t);
  const [ada, bob, mallory] = await service.cast('ada', 'bob', 'mallory');
  const admin = await service.admin();
  await bob.collection('follows').create({ followee: id(ada) });
  const hidden = [
    await post(ada, { visibility: 'followers' }),
    await post(ada, { visibility: 'private' }),
  ];
  const tray = await listen(ada, 'notifications/*');
  const missing = bytes(await like(mallory, 'nosuchpost00000'));
  assert.equal(missing.status, 400);

  for (const { id: unseen, visibility } of hidden) {
    assert.deepEqual(bytes(await like(mallory, unseen)), missing, `a like of a post for ${visibility}`);
    const viewed = await send(mallory, 'GET', records('posts', unseen));
    assert.equal(viewed.status, 404);
    assert.deepEqual(bytes(viewed), bytes(await send(mallory, 'GET', records('posts', 'nosuchpost00000'))));
    assert.equal((await admin.collection('posts').getOne(unseen)).likesCount, 0);
  }
  assert.equal((await admin.collection('likes').getList(1, 1)).totalItems, 0);

  // what comes after shows that nothing came before
  assert.equal((await like(bob, hidden[0].id)).status, 200);
  await tray.next(({ record }) => record.actors.includes(id(bob)));
  assert.equal(tray.messages.length, 1, JSON.stringify(tray.messages));
});

test('a like that was answered survives kill -9', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const posted = await post(ada);
  const answer = await like(bob, posted.id);
  await service.kill();
  assert.equal(answer.status, 200);
  await service.start();

  const likes = await bob.collection('likes').getFullList();
  assert.deepEqual(likes.map((row) => row.post), [posted.id]);
  assert.equal((await ada.collection('posts').getOne(posted.id)).likesCount, 1);
  const told = await ada.collection('notifications').getFullList();
  assert.deepEqual(told.map(({ type, post, actors, actorsCount }) => ({ type, post, actors, actorsCount })),
    [{ type: 'like', post: posted.id, actors: [id(bob)], actorsCount: 1 }]);
});
