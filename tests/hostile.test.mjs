// Whatever a stranger sends: a plain refusal in PocketBase's shape, never our own breakage, and nothing stored.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { records, send } from './http.mjs';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';
import { collections } from './world.mjs';

function refusal(answer, what) {
  const said = `${what}: ${answer.status} ${answer.text.slice(0, 300)}`;
  assert.ok(answer.status >= 400 && answer.status < 500, said);
  const body = JSON.parse(answer.text);
  assert.deepEqual(Object.keys(body).sort(), ['data', 'message', 'status'], said);
  assert.equal(body.status, answer.status, said);
  assert.ok(body.message, said);
}

async function counts(admin) {
  const all = {};
  for (const name of collections) all[name] = (await admin.collection(name).getList(1, 1)).totalItems;
  return all;
}

const deep = '['.repeat(20_000) + ']'.repeat(20_000);
const bodies = ['{', '[]', '[1]', '"x"', 'null', 'true', '1e999', '{"post":', '{"post":}', '\0', '{"__proto__":{}}', '{"nonsense":1}', '{}', '', deep, `{"a":${deep}}`, `{"${'x'.repeat(1e5)}":1}`];
const values = [1, -1, true, {}, [], [[]], null, '', { $ne: '' }, 'x', "' OR 1=1 --", '"; DROP TABLE likes; --', '\0', '../../etc/passwd', '%', 'ﷺ'.repeat(5000), 'x'.repeat(1e6), 1e308, ['a', 'b']];

test('hostile bodies are refused and leave nothing', async (t) => {
  const service = await serve(t);
  const [ada, mallory] = await service.cast('ada', 'mallory');
  const admin = await service.admin();
  const photo = (await post(ada)).id;
  const comment = (await ada.collection('comments').create({ post: photo, text: 'hello' })).id;
  let before;
  do before = await counts(admin); while (before.jobs > 0); // the photo's are no trace of what follows

  const required = {
    likes: { post: [...values, id(ada), comment] }, saves: { post: [...values, id(ada)] }, comment_likes: { comment: [...values, photo] },
    follows: { followee: [...values, photo, id(mallory)] }, blocks: { blocked: [...values, photo, id(mallory)] }, mutes: { muted: [...values, photo, id(mallory)] },
    comments: { post: [...values, id(ada)] }, reports: { post: [...values, id(ada)] },
  };
  const rest = { comments: { text: 'hi' }, reports: { reason: 'spam' } };
  for (const [collection, fields] of Object.entries(required)) {
    for (const body of bodies) refusal(await send(mallory, 'POST', records(collection), body), `${collection} ${body.slice(0, 40)}`);
    for (const [field, wrong] of Object.entries(fields)) {
      for (const value of wrong) {
        const answer = await send(mallory, 'POST', records(collection), { ...rest[collection], [field]: value });
        refusal(answer, `${collection}.${field} = ${JSON.stringify(value).slice(0, 60)}`);
      }
    }
  }
  for (const body of bodies) {
    for (const url of ['/api/batch', '/api/collections/users/auth-with-password', '/api/realtime', '/api/v1/notifications/read']) {
      refusal(await send(mallory, 'POST', url, body), `${url} ${body.slice(0, 40)}`);
    }
  }
  for (const text of ['', ' \n\t', 'x'.repeat(2201), [], {}]) {
    refusal(await send(mallory, 'POST', records('comments'), { post: photo, text }), 'a comment without words, or with too many');
  }
  const file = new File(['#!/bin/sh'], '../../evil.sh', { type: 'image/png' });
  for (const photos of ['', 'x.png', file]) {
    const form = new FormData();
    form.set('photos', photos);
    refusal(await send(mallory, 'POST', records('posts'), form), 'a post without a photo');
  }
  const broken = await send(mallory, 'POST', records('posts'), '--x\r\nContent-Disposition: form-data; name="photos"', { 'Content-Type': 'multipart/form-data; boundary=x' });
  refusal(broken, 'half a form');
  for (const handle of ['ab', 'x'.repeat(31), 'a b', 'ada', 'Äda', 'a..b', '.ab', 'admin', "x';--", 'ada\0']) {
    const someone = { handle, email: 'x@example.com', password: 'correct-horse', passwordConfirm: 'correct-horse' };
    refusal(await send(service.guest(), 'POST', records('users'), someone), `handle ${handle}`);
  }
  assert.deepEqual(await counts(admin), before);
});

test('hostile questions are refused or answered, never a breakage', async (t) => {
  const service = await serve(t);
  const [ada, mallory] = await service.cast('ada', 'mallory');
  const photo = (await post(ada)).id;
  const filters = [
    '(', ')', '"', "'", 'id', 'id =', 'id = "x" &&', 'id = "x" OR 1=1', "id = 'x'; DROP TABLE likes", 'nosuch = 1', 'id ~ "%%%%%%%%%%"', '1=1'.repeat(2000),
    Array(500).fill('id = "x"').join(' || '), '('.repeat(500) + 'id="x"' + ')'.repeat(500), 'x'.repeat(50_000), '\0', 'id = "\0"', 'tokenKey ~ "a"', 'password != ""',
    '@collection.users.tokenKey ~ "a"', '@collection.jobs.payload ~ "a"', '@collection._superusers.email ~ "a"', '@request.headers.authorization = "x"', '@nosuch.x = 1', 'geoDistance(1,2,3,4) < 1', 'strftime("%Y", created) = "x"',
    'likes_via_post.user.likes_via_user.post.likes_via_post.user.name = "x"', 'created > "nonsense"', 'likesCount = "NaN"', 'id:each = "x"', 'id:lower = "x"', 'id:length > 1',
  ];
  const questions = [
    ...filters.map((filter) => ({ filter })),
    ...['nosuch', '-', '+', 'id;', "'", 'tokenKey', '@random', '@rowid', 'likes_via_post.user.tokenKey', 'x'.repeat(9999)].map((sort) => ({ sort })),
    ...['-1', '0', '1e9', 'x', '99999999999999999999', '9223372036854775807'].flatMap((n) => [{ page: n }, { perPage: n }, { page: n, perPage: n }]),
    ...['nosuch', 'author.'.repeat(50) + 'author', Array(200).fill('author').join(','), 'x'.repeat(9999), 'users_via_nothing', '..', ','].map((expand) => ({ expand })),
    ...['nosuch', '*', '*.*.*', ':excerpt', 'caption:excerpt(x)', 'caption:excerpt(-1)', 'caption:excerpt(99999999999999999999)', 'x'.repeat(9999), '('].map((fields) => ({ fields })),
  ];
  for (const pb of [mallory, service.guest()]) {
    const ask = async (parts) => {
      for (const collection of ['posts', 'users']) {
        const answer = await send(pb, 'GET', `${records(collection)}?${new URLSearchParams(parts)}`);
        if (answer.status !== 200) refusal(answer, JSON.stringify(parts).slice(0, 100));
        assert.ok(!answer.text.includes('tokenKey'), JSON.stringify(parts));
      }
    };
    await Promise.all(questions.map(ask));
    for (const path of ['/api/nosuch', '/api/collections/nosuch/records', '/api/collections/posts/records/..%2f..', `/api/files/posts/${photo}/..%2f..%2fdata.db`, '/api/files/posts/%00/x', '/api/collections/jobs/records', '/api/logs', '/api/backups', '/api/settings']) {
      refusal(await send(pb, 'GET', path), path);
    }
    for (const thumb of ['x', '0x0', '99999x99999', '100x100f', '-1x-1', 'x'.repeat(9999)]) {
      const answer = await send(pb, 'GET', `/api/files/posts/${photo}/nosuch.png?thumb=${thumb}`);
      refusal(answer, `thumb ${thumb.slice(0, 20)}`);
    }
  }
});
