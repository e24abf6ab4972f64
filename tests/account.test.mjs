// Coming in, and going for good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, records, refused, send } from './http.mjs';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';

const password = 'correct-horse';

test('people come in by handle or e-mail', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  for (const identity of ['ada', 'Ada', 'ada@example.com']) {
    const { record } = await service.guest().collection('users').authWithPassword(identity, password);
    assert.equal(record.id, id(ada), identity);
  }
  const login = (identity, secret) => send(service.guest(), 'POST', '/api/collections/users/auth-with-password', { identity, password: secret });
  const wrong = bytes(await login('ada', 'wrong-horse'));
  assert.equal(wrong.status, 400);
  assert.deepEqual(bytes(await login('nobody', password)), wrong, 'a guess tells nothing');
  const unnamed = await service.guest().collection('users').create({ email: 'new@example.com', password, passwordConfirm: password });
  assert.match(unnamed.handle, /^[a-z0-9_]{3,30}$/);
  assert.equal(unnamed.email, undefined, 'an address is its owner\'s');
});

test('an account that goes takes all its traces along', async (t) => {
  const service = await serve(t);
  const [ada, bob, carol] = await service.cast('ada', 'bob', 'carol');
  const admin = await service.admin();
  const phone = await service.device('ada');
  const heard = await listen(phone, 'notifications/*');
  const gone = id(ada);
  const token = ada.authStore.token;

  const hers = await post(ada);
  const his = await post(bob);
  await ada.collection('likes').create({ post: his.id });
  await bob.collection('likes').create({ post: hers.id });
  await ada.collection('follows').create({ followee: id(bob) });
  const root = await ada.collection('comments').create({ post: his.id, text: 'hello' });
  await carol.collection('comments').create({ post: his.id, parent: root.id, text: 'hi' });
  await ada.collection('comments').create({ post: his.id, text: 'bye' });
  const counts = await listen(bob, `posts/${his.id}`);
  const erased = await listen(admin, `users/${gone}`);
  const ended = new Promise((over) => (phone.realtime.onDisconnect = over));

  assert.equal((await send(ada, 'DELETE', records('users', gone))).status, 204);
  await ended;
  const old = service.guest();
  old.authStore.save(token, null);
  await refused(old.collection('users').authRefresh(), 401);
  assert.equal((await send(old, 'POST', records('likes'), { post: his.id })).status, 400);
  assert.equal((await send(old, 'POST', '/api/v1/notifications/read', { before: his.created })).status, 401);
  await assert.rejects(service.device('ada'));
  await refused(bob.collection('users').getOne(gone), 404);
  await refused(bob.collection('posts').getOne(hers.id), 404);
  assert.equal(heard.messages.length, 2, 'a like and a reply, and nothing after');

  await counts.next(({ record }) => record.likesCount === 0 && record.commentsCount === 2);
  await erased.next(({ action }) => action === 'delete');
  for (const collection of ['users', 'posts', 'likes', 'follows', 'notifications', 'feed', 'settings']) {
    const rows = await admin.collection(collection).getFullList();
    assert.ok(!JSON.stringify(rows).includes(gone), `${collection} still knows the account`);
  }
  const talk = await carol.collection('comments').getFullList({ sort: 'created' });
  assert.deepEqual(talk.map(({ deleted, author, text }) => [deleted, author, text]), [[true, '', ''], [false, id(carol), 'hi']]);
  assert.equal((await bob.collection('users').getOne(id(bob))).followersCount, 0);
  assert.deepEqual((await bob.collection('notifications').getFullList()).map((row) => row.type), ['comment']); // carol's reply
  const again = { handle: 'ada', email: 'ada@example.com', password, passwordConfirm: password };
  const { response } = await refused(service.guest().collection('users').create(again), 400);
  assert.equal(response.data.handle.code, 'validation_handle_reserved');
});
