// The home feed, and what a record tells the one who looks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';

/** Reads a whole feed, page by page, as a client does. */
async function scroll(pb, perPage, afterPage = async () => {}) {
  const rows = [];
  for (let more = true; more;) {
    const last = rows.at(-1);
    const filter = last ? pb.filter('at <= {:c} && (at < {:c} || post < {:p})', { c: last.at, p: last.post }) : '';
    const page = await pb.collection('feed').getList(1, perPage, { sort: '-at,-post', skipTotal: true, expand: 'post.author', filter });
    rows.push(...page.items);
    more = page.items.length === perPage;
    await afterPage();
  }
  return rows;
}

test('scrolling skips nothing and repeats nothing while people post', async (t) => {
  const service = await serve(t);
  const [ada, bob, carol] = await service.cast('ada', 'bob', 'carol');
  for (const pb of [ada, carol]) await bob.collection('follows').create({ followee: id(pb) });
  const old = [];
  for (let n = 0; n < 20; n++) {
    const both = [[ada, { visibility: 'followers' }], [carol, {}]]; // at once, so that some share a moment
    old.push(...(await Promise.all(both.map(([pb, fields]) => post(pb, { caption: `old ${n}`, ...fields })))).map((row) => row.id));
  }
  old.push((await post(bob, { visibility: 'private' })).id);

  const rows = await scroll(bob, 6, () => Promise.all([post(ada, { caption: 'new' }), post(carol, { caption: 'new' })]));
  const seen = rows.map((row) => row.post);
  assert.equal(new Set(seen).size, seen.length, 'a post came twice');
  assert.deepEqual(old.filter((one) => !seen.includes(one)), [], 'posts that were skipped');
  assert.deepEqual(seen.filter((one) => !old.includes(one)), [], 'posts newer than the first page');
  for (const row of rows) assert.equal(row.expand.post.expand.author.id, row.author);
  const order = rows.map((row) => `${row.at} ${row.post}`);
  assert.deepEqual(order, order.toSorted().reverse());
  assert.equal((await scroll(bob, 30)).length, old.length + 2 * 7);
});

test('a feed follows what its owner does', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const feed = async () => (await scroll(bob, 30)).map((row) => row.expand.post.caption);
  for (let n = 0; n < 25; n++) await post(ada, { caption: `${n}`, ...(n === 24 && { visibility: 'private' }) });
  assert.deepEqual(await feed(), []);
  const follow = await bob.collection('follows').create({ followee: id(ada) });
  assert.deepEqual(await feed(), Array.from({ length: 24 }, (_, i) => `${23 - i}`));
  const [newest] = await scroll(bob, 30);
  await bob.collection('feed').delete(newest.id);
  assert.equal((await feed())[0], '22');
  await ada.collection('posts').delete((await scroll(bob, 30))[0].post);
  assert.equal((await feed())[0], '21');
  await bob.collection('follows').delete(follow.id);
  assert.deepEqual(await feed(), []);
});

test('a post tells whether I like and keep it, a user what is between us', async (t) => {
  const service = await serve(t);
  const [ada, bob, dave] = await service.cast('ada', 'bob', 'dave');
  const { id: photo } = await post(ada);
  const like = await bob.collection('likes').create({ post: photo });
  const save = await bob.collection('saves').create({ post: photo, board: 'seas' });
  const mine = async (pb) => {
    const { liked, saved } = await pb.collection('posts').getOne(photo);
    return [liked, saved];
  };
  assert.deepEqual(await mine(bob), [like.id, save.id]);
  assert.deepEqual(await mine(ada), ['', '']);
  assert.deepEqual(await mine(service.guest()), ['', '']);
  const expanded = await bob.collection('likes').getOne(like.id, { expand: 'post' });
  assert.equal(expanded.expand.post.liked, like.id);
  await bob.collection('saves').delete(save.id);
  assert.deepEqual(await mine(bob), [like.id, '']);

  const nothing = { following: false, requested: false, followsMe: false, blocking: false, muting: false };
  const between = async (pb, other) => (await pb.collection('users').getOne(id(other))).relationship;
  await dave.collection('users').update(id(dave), { private: true });
  await bob.collection('follows').create({ followee: id(ada) });
  await bob.collection('follows').create({ followee: id(dave) });
  await bob.collection('mutes').create({ muted: id(dave) });
  assert.deepEqual(await between(bob, ada), { ...nothing, following: true });
  assert.deepEqual(await between(ada, bob), { ...nothing, followsMe: true });
  assert.deepEqual(await between(bob, dave), { ...nothing, requested: true, muting: true });
  assert.deepEqual(await between(dave, bob), nothing);
  await ada.collection('blocks').create({ blocked: id(bob) });
  assert.deepEqual(await between(ada, bob), { ...nothing, blocking: true });
  const listed = await ada.collection('users').getList(1, 50, { filter: pbFilter(ada, bob) });
  assert.deepEqual(listed.items[0].relationship, { ...nothing, blocking: true });
});

const pbFilter = (pb, other) => pb.filter('id = {:id}', { id: id(other) });

test('whoever watches a post sees its counts live, at a calm pace', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const people = await service.crowd(12);
  const { id: photo } = await post(ada);
  const guest = await listen(service.guest(), `posts/${photo}`);
  const watching = await listen(bob, `posts/${photo}`, { expand: 'author' });
  const like = await bob.collection('likes').create({ post: photo });
  await watching.next(({ record }) => record.liked === like.id);
  await Promise.all(people.map(async (pb) => {
    await pb.collection('likes').create({ post: photo });
    await pb.collection('comments').create({ post: photo, text: 'hello' });
  }));
  for (const stream of [watching, guest]) {
    await stream.next(({ record }) => record.likesCount === 13 && record.commentsCount === 12);
    const at = stream.messages.map((message) => message.at);
    for (let i = 5; i < at.length; i++) assert.ok(at[i] - at[i - 5] > 800, `six messages within ${at[i] - at[i - 5]} ms`);
  }
  assert.equal(watching.messages.at(-1).record.liked, like.id);
  assert.equal(watching.messages.at(-1).record.expand.author.id, id(ada));
  assert.equal(guest.messages.at(-1).record.liked, '');
});

test('messages hold what was asked for', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  await ada.collection('follows').create({ followee: id(bob) });
  const tray = await listen(ada, 'notifications/*', { expand: 'actors,post.author', fields: 'id,type,seq,expand.actors.handle,expand.post.caption,expand.post.expand.author.id' });
  const feed = await listen(ada, 'feed/*', { expand: 'post.author' });
  const settings = await listen(ada, 'settings/*');
  const own = await post(ada, { caption: 'the sea' });
  await feed.next(({ action, record }) => action === 'create' && record.post === own.id);
  await bob.collection('likes').create({ post: own.id });
  const { record } = await tray.next(({ action, record }) => action === 'create' && record.type === 'like');
  assert.deepEqual(record.expand, { actors: [{ handle: 'bob' }], post: { caption: 'the sea', expand: { author: { id: id(ada) } } } });
  assert.deepEqual(Object.keys(record).sort(), ['expand', 'id', 'seq', 'type']);

  const theirs = await post(bob, { caption: 'a hill' });
  const { record: row } = await feed.next(({ record }) => record.post === theirs.id);
  assert.equal(row.expand.post.expand.author.relationship.following, true);
  assert.equal(row.expand.post.liked, '');

  const { latestAt } = await ada.collection('notifications').getOne(record.id);
  await ada.send('/api/v1/notifications/read', { method: 'POST', body: { before: latestAt } });
  assert.equal((await settings.next(({ record }) => record.readAt)).record.readAt, latestAt);
  assert.equal((await ada.collection('notifications').getOne(record.id)).read, true);
});
