// A filter or an order may not be asked about what one may not see: the answer is the same whatever is there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { records, send } from './http.mjs';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';
import { hiddenWorld } from './world.mjs';

/** The ids that a list shows, or its refusal. */
async function list(pb, collection, parts) {
  const { status, text } = await send(pb, 'GET', records(collection) + '?' + new URLSearchParams({ perPage: 200, skipTotal: 'true', ...parts }));
  return status === 200 ? JSON.parse(text).items.map((row) => row.id) : { status, text };
}

// What can be asked of a collection about a caption, a text, a place or an id: {} is what is looked for.
const questions = {
  posts: ['caption ~ {}', 'place = {}', 'id = {}', 'comments_via_post.text ?~ {}', 'photos ~ {}', 'alts ~ {}'],
  users: [
    'posts_via_author.caption ?~ {}', 'posts_via_author.caption ~ {}', 'posts_via_author.caption !~ {}', 'posts_via_author.id ?= {}', 'posts_via_author.id != {}',
    'comments_via_author.text ?~ {}', 'comments_via_author.text !~ {}', 'likes_via_user.post ?= {}', 'likes_via_user.post != {}', 'likes_via_user.post.caption !~ {}',
    'posts_via_author.comments_via_post.text ?~ {}', 'saves_via_user.board ?~ {}', 'notifications_via_recipient.post ?= {}', 'feed_via_viewer.post ?= {}',
    'follows_via_follower.followee.posts_via_author.caption !~ {}', 'email ~ {}',
  ],
  likes: ['post = {}', 'post.caption ~ {}', 'post.caption !~ {}', 'user.posts_via_author.caption !~ {}'],
  comments: ['post = {}', 'text ~ {}', 'post.caption !~ {}', 'author.posts_via_author.caption !~ {}'],
  '@any': ['@collection.posts.caption ?~ {}', '@collection.posts.caption !~ {}', '@collection.comments.text ?~ {}', '@collection.likes.post ?= {}'],
  hashtags: ['post_tags_via_tag.post.caption ?~ {}', 'post_tags_via_tag.post.caption !~ {}', 'post_tags_via_tag.post != {}'],
  follows: ['followee.posts_via_author.caption ?~ {}', 'followee.posts_via_author.caption !~ {}', 'followee.posts_via_author.id != {}'],
};

test('no filter tells whether a guess is right', async (t) => {
  const w = await hiddenWorld(await serve(t));
  for (const pb of [w.ada, w.bob, w.dave, w.eve, w.mallory]) { // something of everybody's that all may see
    const { id: photo } = await post(pb, { caption: 'for all' });
    await pb.collection('comments').create({ post: photo, text: 'for all' });
    await pb.collection('likes').create({ post: photo });
  }
  const told = new Set();
  const probe = async (world, who, collection, filter, guess) => {
    const ask = (value) => list(world.from[who], collection.replace('@any', 'users'), { filter: filter.replace('{}', `"${value}"`) });
    const [right, wrong] = await Promise.all([ask(guess), ask('nonsense0000000')]);
    assert.ok(!(wrong.status >= 500), `${collection}?filter=${filter}: ${wrong.text}`);
    if (!isDeepStrictEqual(right, wrong)) told.add(`${collection}?filter=${filter}`);
  };
  for (const world of w.worlds) {
    const probes = []; // at once, since PocketBase answers a guess that finds nothing late
    for (const who of Object.keys(world.from)) {
      for (const [collection, filters] of Object.entries(questions)) {
        for (const filter of filters) {
          const guess = / (post|id) |[.](post|id) /.test(` ${filter}`) ? world.post.id : world.secret;
          probes.push(probe(world, who, collection, filter, guess));
        }
      }
    }
    await Promise.all(probes);
  }
  assert.equal(told.size, 0, `these tell it:\n${[...told].sort().join('\n')}`);
});

test('no filter of a stream tells it either', async (t) => {
  const service = await serve(t);
  const [ada, mallory] = await service.cast('ada', 'mallory');
  await post(ada, { visibility: 'private', caption: 'secret' });
  const plain = await listen(mallory, 'posts/*');
  for (const how of ['~', '!~', '?~', '?!~']) {
    const ask = (guess) => listen(mallory, 'posts/*', { filter: `author.posts_via_author.caption ${how} "${guess}"` }).catch(() => ({ messages: [] }));
    const both = await Promise.all([ask('secret'), ask('nonsense')]);
    const { id: shown } = await post(ada, { caption: how });
    const { id: later } = await post(ada);
    await plain.next(({ record }) => record.id === later); // by now all has come that ever will
    const heard = both.map(({ messages }) => messages.some(({ record }) => record.id === shown));
    assert.equal(heard[0], heard[1], `a filter with ${how}`);
  }
});

test('whoever liked a post before it was hidden learns nothing of what became of it', async (t) => {
  const service = await serve(t);
  const [ada, mallory] = await service.cast('ada', 'mallory');
  const { id: photo } = await post(ada, { caption: 'for all' });
  await mallory.collection('likes').create({ post: photo });
  await mallory.collection('saves').create({ post: photo });
  await mallory.collection('comments').create({ post: photo, text: 'hello' });
  await ada.collection('posts').update(photo, { visibility: 'private', caption: 'secret' });
  for (const collection of ['likes', 'saves', 'comments']) {
    await Promise.all(['~', '!~', '?~', '?!~'].map(async (how) => {
      const ask = (guess) => list(mallory, collection, { filter: `post.caption ${how} "${guess}"` });
      assert.deepEqual(await ask('secret'), await ask('nonsense'), `${collection}: post.caption ${how}`);
    }));
    const { text } = await send(mallory, 'GET', `${records(collection)}?expand=post,post.comments_via_post`);
    assert.ok(!text.includes('secret'), text);
  }
});

test('no order tells what is in between', async (t) => {
  const service = await serve(t);
  const [ada, bob, mallory] = await service.cast('ada', 'bob', 'mallory');
  const secret = await post(ada, { visibility: 'private', caption: 'mmm', place: 'mmm' });
  const other = await post(bob, { visibility: 'private', caption: 'nnn', place: 'nnn' });
  for (const pb of [ada, bob]) await post(pb, { caption: 'for all' });
  const orders = ['posts_via_author.caption', '-posts_via_author.caption', 'posts_via_author.place', '-posts_via_author.id', '-likes_via_user.post.caption', 'email', '-email'];
  const answers = async () => {
    const all = [];
    for (const pb of [mallory, service.guest()]) {
      for (const sort of orders) all.push([sort, await list(pb, 'users', { sort: `${sort},id` })]);
    }
    return all;
  };
  const before = await answers();
  for (const [sort, answer] of before) assert.ok(!(answer.status >= 500), `${sort}: ${answer.text}`);
  await ada.collection('posts').update(secret.id, { caption: 'zzz', place: 'zzz' });
  await bob.collection('posts').update(other.id, { caption: 'aaa', place: 'aaa' });
  assert.deepEqual(await answers(), before);
});

test('nobody asks with the service\'s own rule functions', async (t) => {
  const service = await serve(t);
  const [ada, mallory] = await service.cast('ada', 'mallory');
  const { id: photo } = await post(ada, { visibility: 'private' });
  for (const pb of [mallory, service.guest()]) {
    for (const me of ['@request.auth.id', `"${id(ada)}"`, 'author']) {
      for (const call of [`seesPost(${me}, "${photo}") = true`, `sees(${me}, author, "private") = true`, `blockedBy(${me}, author) = true`, `follows(${me}, author) = true`]) {
        const { status, text } = await list(pb, 'posts', { filter: call, perPage: 1 });
        assert.ok([400, 403].includes(status), `${call}: ${status} ${text}`);
      }
    }
  }
});
