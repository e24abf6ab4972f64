// What belongs to the service does not move, however a client spells it: silently, or refused, but never moved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { records, send } from './http.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id, serve } from './service.mjs';

/** Every way to write a value into a field: what to send to a url. */
const spellings = {
  plain: (fields) => fields,
  'field+': (fields) => renamed(fields, (name) => `${name}+`),
  'field-': (fields) => renamed(fields, (name) => `${name}-`),
  '+field': (fields) => renamed(fields, (name) => `+${name}`),
  multipart: (fields) => form(fields),
  'multipart field+': (fields) => form(renamed(fields, (name) => `${name}+`)),
  'multipart field-': (fields) => form(renamed(fields, (name) => `${name}-`)),
  '@jsonPayload': (fields) => form({ '@jsonPayload': fields }),
  '@jsonPayload field+': (fields) => form({ '@jsonPayload': renamed(fields, (name) => `${name}+`) }),
};

// read is what makes a change of a notification allowed at all
const renamed = (fields, rename) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name === 'read' ? name : rename(name), value]));

function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, typeof value === 'string' || value instanceof Blob ? value : JSON.stringify(value));
  return data;
}

/** Tries all spellings alone, and those that fit in a batch, and each field by itself. */
async function everySpelling(pb, method, url, fields, always = {}) {
  const one = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  for (const [spelling, write] of Object.entries(spellings)) {
    for (const part of [fields, ...one]) {
      const body = write({ ...part, ...always });
      const alone = await send(pb, method, url, body);
      assert.ok(alone.status < 500, `${spelling}: ${method} ${url}: ${alone.text}`);
      if (body instanceof FormData) continue;
      const request = { method, url, body };
      const batch = await send(pb, 'POST', '/api/batch', { requests: [request] });
      assert.ok(batch.status < 500, `batch of ${spelling}: ${batch.text}`);
      const multipart = await send(pb, 'POST', '/api/batch', form({ '@jsonPayload': { requests: [request] } }));
      assert.ok(multipart.status < 500, `multipart batch of ${spelling}: ${multipart.text}`);
    }
  }
}

test('fields of the service do not move', async (t) => {
  const service = await serve(t);
  const [ada, bob, dave] = await service.cast('ada', 'bob', 'dave');
  const admin = await service.admin();
  const posted = await post(ada);
  await bob.collection('likes').create({ post: posted.id });
  const comment = await ada.collection('comments').create({ post: posted.id, text: 'hello' });
  await bob.collection('comments').create({ post: posted.id, parent: comment.id, text: 'hi' });
  await bob.collection('comment_likes').create({ comment: comment.id });
  const [notification] = await ada.collection('notifications').getFullList({ filter: 'type = "like"' });
  const [settings] = await ada.collection('settings').getFullList();
  const report = await ada.collection('reports').create({ post: posted.id, reason: 'spam' });
  const device = await ada.collection('devices').create({ kind: 'webpush', endpoint: 'https://push.example.com/1' });
  const other = id(bob);
  const past = '2001-01-01 00:00:00.000Z';

  const rows = [
    ['users', id(ada), { state: 'suspended', role: 'moderator', postsCount: 99, followersCount: 99, followingCount: 99, verified: true, tokenKey: 'x'.repeat(50) }],
    ['posts', posted.id, { hidden: true, media: [{ w: 4711 }], likesCount: 99, commentsCount: 99, author: other, photos: [] }],
    ['comments', comment.id, { deleted: true, likesCount: 99, repliesCount: 99, author: other, post: other, parent: other }],
    ['settings', settings.id, { readAt: past, seq: 99, user: other }],
    ['notifications', notification.id, {
      recipient: other, type: 'order', actors: [id(ada)], actorsCount: 99, post: '', comment: comment.id, latestAt: past, seq: 99, groupKey: 'x',
    }, { read: true }],
    ['reports', report.id, { state: 'dismissed', resolution: 'fine', reporter: other }],
    ['devices', device.id, { lastSeen: past, user: other }],
  ];
  for (const [collection, row, fields, always] of rows) {
    const read = async () => {
      const { updated, ...rest } = await admin.collection(collection).getOne(row);
      return Object.fromEntries(Object.keys(fields).map((name) => [name, rest[name]]));
    };
    const before = await read();
    if (collection === 'notifications') delete before.seq; // marking a row as read is a change, which has a seq of its own
    await everySpelling(ada, 'PATCH', records(collection, row), fields, always);
    const after = await read();
    if (collection === 'notifications') {
      assert.ok(after.seq > 0 && after.seq !== 99 + notification.seq, `seq ${after.seq}`);
      delete after.seq;
    }
    assert.deepEqual(after, before, collection);
  }
  assert.equal((await ada.collection('users').authRefresh()).record.id, id(ada), 'the session holds');

  await dave.collection('users').update(id(dave), { private: true });
  const follow = await bob.collection('follows').create({ followee: id(dave) });
  assert.equal(follow.state, 'pending');
  await everySpelling(bob, 'PATCH', records('follows', follow.id), { state: 'accepted' });
  assert.equal((await admin.collection('follows').getOne(follow.id)).state, 'pending');
});

test('a create does not choose what the service sets', async (t) => {
  const service = await serve(t);
  const [ada, bob, dave] = await service.cast('ada', 'bob', 'dave');
  const admin = await service.admin();
  await dave.collection('users').update(id(dave), { private: true });
  const posted = await post(bob);
  const password = 'correct-horse';
  let n = 0;
  const fresh = [ // what comes along, and what is asked for and got instead, or just not got; what is refused alone would hide the rest
    ['users', () => ({ email: `new${++n}@example.com`, password, passwordConfirm: password }),
      { state: ['suspended', 'active'], role: ['moderator', 'member'], postsCount: [99, 0], followersCount: [99, 0], followingCount: [99, 0] }],
    ['users', () => ({ email: `new${++n}@example.com`, password, passwordConfirm: password }), { verified: [true, false] }],
    ['posts', () => ({ photos: smallPhoto() }), { hidden: [true, false], media: [[{ w: 4711 }]], likesCount: [99, 0], commentsCount: [99, 0] }],
    ['posts', () => ({ photos: smallPhoto() }), { author: [id(bob), id(ada)] }],
    ['comments', () => ({ post: posted.id, text: 'hello' }), { deleted: [true, false], likesCount: [99, 0], repliesCount: [99, 0] }],
    ['comments', () => ({ post: posted.id, text: 'hello' }), { author: [id(bob), id(ada)] }],
    ['follows', () => ({ followee: id(dave) }), { state: ['accepted', 'pending'] }],
    ['follows', () => ({ followee: id(dave) }), { follower: [id(bob), id(ada)] }],
    ['reports', () => ({ post: posted.id }), { state: ['dismissed', 'open'], resolution: ['fine', ''] }],
    ['devices', () => ({ kind: 'fcm', endpoint: `device-of-somebody-here-${++n}` }), { user: [id(bob), id(ada)] }],
    ['likes', () => ({ post: posted.id }), { user: [id(bob), id(ada)] }],
    ['saves', () => ({ post: posted.id }), { user: [id(bob), id(ada)] }],
    ['blocks', () => ({ blocked: id(dave) }), { blocker: [id(bob), id(ada)] }],
  ];
  for (const [collection, base, fields] of fresh) {
    const wanted = Object.fromEntries(Object.entries(fields).map(([name, [value]]) => [name, value]));
    for (const [spelling, write] of Object.entries(spellings)) {
      const body = write(wanted);
      const sent = body instanceof FormData || collection === 'posts' ? form({ ...(body instanceof FormData ? Object.fromEntries(body) : body), ...base() }) : { ...body, ...base() };
      const answer = await send(ada, 'POST', records(collection), sent);
      const what = `${collection} by ${spelling}`;
      assert.ok(answer.status < 500, `${what}: ${answer.text}`);
      if (answer.status === 400 && Object.values(wanted).some((value) => value === id(bob) || wanted.verified)) continue;
      assert.equal(answer.status, 200, `${what}: ${answer.text}`); // kept silently
      const row = await admin.collection(collection).getOne(JSON.parse(answer.text).id);
      for (const [name, [value, truth]] of Object.entries(fields)) {
        if (truth === undefined) assert.notDeepEqual(row[name], value, `${what}: ${name}`);
        else assert.deepEqual(row[name], truth, `${what}: ${name}`);
      }
      if (collection === 'follows' || collection === 'blocks') await admin.collection(collection).delete(row.id);
    }
  }
});
