// What one may not see does not get out: by no list, view, filter, order, expand, file, stream or batch.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { records, send } from './http.mjs';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { listen } from './stream.mjs';
import { collections, hiddenWorld, ways } from './world.mjs';

/** Fails when a text holds anything of a world that its reader may not see. */
function clean(text, world, what) {
  for (const secret of world.secrets) {
    const at = text.indexOf(secret);
    assert.equal(at, -1, `${world.name}: ${what} tells ${secret}: …${text.slice(Math.max(0, at - 150), at + 50)}…`);
  }
}

/** Every way from one row to others, each asked for alone: what leads back is refused, and would take the rest with it. */
const ahead = ways.filter((way) => !way.includes('_via_')).slice(0, 10).join(','); // a stream takes ten paths
const query = (parts) => '?' + new URLSearchParams(parts);

test('somebody who may not see a post', async (t) => {
  const w = await hiddenWorld(await serve(t));
  const readers = w.worlds.flatMap((world) => Object.entries(world.from).map(([who, pb]) => ({ world, who, pb })));

  await t.test('finds nothing of it in any list, however far it is expanded', async () => {
    for (const [who, pb] of [['guest', w.guest], ['mallory', w.mallory]]) {
      for (const name of collections) {
        const plain = await send(pb, 'GET', records(name) + query({ perPage: 500 }));
        const far = [];
        for (const expand of ways) far.push(await send(pb, 'GET', records(name) + query({ perPage: 500, expand })));
        for (const { status } of far) assert.ok([plain.status, 400].includes(status), `${who}'s expanded list of ${name}`);
        for (const world of w.worlds.filter((one) => one.from[who])) {
          clean(plain.text, world, `${who}'s list of ${name}`);
          for (const { text } of far) clean(text, world, `${who}'s expanded list of ${name}`);
        }
      }
    }
  });

  await t.test('cannot view it, nor what hangs on it', async () => {
    for (const { world, who, pb } of readers) {
      const [, photo, comment, , like, save, commentLike] = world.secrets;
      for (const [name, row] of Object.entries({ posts: photo, comments: comment, likes: like, saves: save, comment_likes: commentLike })) {
        for (const expand of ways) {
          const answer = await send(pb, 'GET', records(name, row) + query({ expand }));
          assert.ok([400, 404].includes(answer.status), `${who} views ${world.name} ${name}: ${answer.text}`);
        }
      }
      if (world.story) assert.equal((await send(pb, 'GET', records('stories', world.story.id))).status, 404, `${who} views ${world.name} stories`);
      for (const person of [world.author, world.friend]) {
        for (const expand of ways) clean((await send(pb, 'GET', records('users', id(person)) + query({ expand }))).text, world, `${who}'s view of a user`);
      }
    }
  });

  await t.test('gets no file of it, with or without a token', async () => {
    for (const { world, who, pb } of readers) {
      const token = pb.authStore.isValid ? await pb.files.getToken() : '';
      for (const thumb of [undefined, '100x100', '640x640f', '1920x1920f']) {
        // a block holds against a person; without a token one is nobody, who may see what is public
        for (const ticket of world.name === 'blocked' ? [token] : [undefined, token, 'nonsense']) {
          const { pathname, search } = new URL(pb.files.getURL(world.post, world.post.photos[0], { thumb, token: ticket }));
          const answer = await send(pb, 'GET', pathname + search);
          assert.equal(answer.status, 404, `${who} fetches the photo of ${world.name} with ${search}`);
        }
      }
      const friends = await world.friend.files.getToken();
      if (world.story) {
        const shown = (pb, token) => fetch(pb.files.getURL(world.story, world.story.photo, { token })).then(({ status }) => status);
        assert.equal(await shown(pb, pb.authStore.isValid ? await pb.files.getToken() : 'nonsense'), who === 'guest' && world.name === 'blocked' ? 200 : 404, `${who} fetches the story of ${world.name}`);
        assert.equal(await shown(world.friend, friends), 200, `${world.name}: who may see the story`);
      }
      const url = world.friend.files.getURL(world.post, world.post.photos[0], { token: friends });
      const hidden = world.name === 'moderated';
      assert.equal((await fetch(url)).status, hidden ? 404 : 200, `${world.name}: who may see it`);
    }
  });

  await t.test('cannot do anything with it, alone or in a batch', async () => {
    for (const { world, who, pb } of readers) {
      const row = { post: world.post.id };
      const tries = [
        ['POST', records('likes'), row], ['POST', records('saves'), row], ['POST', records('mutes'), row],
        ['POST', records('reports'), { ...row, reason: 'spam' }], ['POST', records('comments'), { ...row, text: 'hello' }],
        ['POST', records('comment_likes'), { comment: world.comment.id }],
        ['POST', records('reports'), { comment: world.comment.id }],
        ...(world.story ? [['POST', records('story_views'), { story: world.story.id }], ['DELETE', records('stories', world.story.id), undefined]] : []),
        ['PATCH', records('posts', world.post.id), { caption: 'mine' }], ['DELETE', records('posts', world.post.id), undefined],
        ['PATCH', records('comments', world.comment.id), { text: 'mine' }], ['DELETE', records('comments', world.comment.id), undefined],
      ];
      for (const [method, url, body] of tries) {
        const alone = await send(pb, method, url, body);
        assert.ok([400, 404].includes(alone.status), `${who}: ${method} ${url} on ${world.name}: ${alone.status} ${alone.text}`);
        const batch = await send(pb, 'POST', '/api/batch', { requests: [{ method, url, body }] });
        assert.equal(batch.status, 400, `${who}: batch with ${method} ${url}: ${batch.text}`);
        for (const { text } of [alone, batch]) clean(text, world, `${who}: ${method} ${url}`);
      }
    }
  });

  await t.test('hears nothing of it', async () => {
    const heard = [];
    const guests = [];
    const another = () => guests[guests.push(new w.guest.constructor(w.guest.baseURL)) - 1];
    t.after(() => guests.forEach((pb) => pb.realtime.disconnect()));
    for (const [who, pb] of [['guest', w.guest], ['mallory', w.mallory]]) {
      for (const name of collections) heard.push([who, await (who === 'guest' ? listen(another(), `${name}/*`) : listen(pb, `${name}/*`, { expand: ahead }))]); // a guest's stream has few topics, without options
      for (const { post: { id: photo } } of w.worlds) heard.push([who, await listen(pb, `posts/${photo}`)]);
    }
    for (const world of w.worlds) {
      const { author, friend, comment, post: { id: photo } } = world;
      await author.collection('posts').update(photo, { caption: `${world.secret} again` });
      if (world.story) await author.collection('stories').delete(world.story.id);
      if (world.name === 'moderated') continue;
      await friend.collection('comments').update(comment.id, { text: `${world.secret} again` });
      const { liked } = await friend.collection('posts').getOne(photo);
      await friend.collection('likes').delete(liked);
      await friend.collection('likes').create({ post: photo });
    }
    // posts for everybody are the last that both hear, so all before them had its chance
    for (const caption of ['nearly', 'the end']) {
      const last = await post(w.bob, { caption });
      for (const [, stream] of heard.filter(([, { topic }]) => topic === 'posts/*')) await stream.next(({ record }) => record.id === last.id);
    }
    for (const [who, { topic, messages }] of heard) {
      for (const world of w.worlds.filter((one) => one.from[who])) clean(JSON.stringify(messages), world, `${who}'s stream of ${topic}`);
    }
  });
});
