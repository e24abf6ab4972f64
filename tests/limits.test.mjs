// What somebody is told, and what is sent all the same, when they have done too much at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { because } from '../pb_public/lib/errors.js';
import { newId, openOutbox } from '../pb_public/lib/outbox.js';
import { post } from './photo.mjs';
import { serve } from './service.mjs';

globalThis.navigator ??= {}; // which the outbox asks for locks, and this Node may not have

test('a limit is told with the time left, and holds up nothing else', async (t) => {
  const service = await serve(t, { DOUBLETAP_LIMITS: 'likes=1/24h' });
  const [ada, bob] = await service.cast('ada', 'bob');
  const [one, two, three] = [await post(ada), await post(ada), await post(ada)];
  await bob.collection('likes').create({ post: one.id });
  const refused = await bob.collection('likes').create({ post: two.id }).then(() => assert.fail('it was not refused'), (err) => err);
  assert.equal(refused.status, 429);
  assert.match(because(refused), /^That was a lot at once\. Please try again in 24 hours\.$/);

  const kept = new Map();
  const shelf = { put: async (key, entry) => kept.set(key, entry), drop: async (key) => kept.delete(key), all: async () => [...kept.values()] };
  const outbox = openOutbox(bob, shelf);
  t.after(() => outbox.close());
  for (const { id } of [two, three]) await outbox.keep({ key: 'likes/' + id, collection: 'likes', ends: { post: id }, wanted: true });
  const comment = newId();
  const arrived = new Promise((heard) => outbox.listen('comments/' + comment, heard));
  await outbox.keep({ key: 'comments/' + comment, collection: 'comments', body: { id: comment, post: one.id, text: 'hello' } });
  await outbox.open();
  assert.equal((await arrived).row.id, comment, 'the likes before it wait, and it does not');
  assert.deepEqual(outbox.all().map((entry) => entry.collection), ['likes', 'likes'], 'what is limited is kept');
});
