// A phone's photo on its way to every screen, through the built program.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phonePhoto } from './photo.mjs';
import { serve } from './service.mjs';
import { listen } from './stream.mjs';

const sizes = ['1920x1920f', '1080x1080f', '640x640f', '320x320f', '320x320', '100x100'];

test('a photo is upright and without secrets in every size, soon after it was posted', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const posts = await listen(ada, 'posts/*');
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()], caption: 'the sea' });
  const { record } = await posts.next(({ record }) => record.id === post.id && record.media?.length);
  assert.deepEqual([record.media[0].w, record.media[0].h], [3024, 4032]);
  assert.match(record.media[0].color, /^#[0-9a-f]{6}$/);
  for (const thumb of sizes) {
    const answer = await fetch(ada.files.getURL(post, post.photos[0], { thumb }));
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(answer.status, 200, thumb);
    assert.equal(answer.headers.get('content-type'), 'image/jpeg');
    assert.equal(bytes.indexOf('GPS'), -1);
    assert.ok(bytes.length < 1_500_000, `${thumb} has ${bytes.length} bytes`);
  }
});

test('kill -9 after the answer loses no rendition', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()] });
  await service.kill();
  await service.start();
  for (const thumb of sizes) {
    const answer = await fetch(ada.files.getURL(post, post.photos[0], { thumb }));
    await answer.arrayBuffer();
    assert.equal(answer.status, 200, thumb);
  }
  const posts = await listen(ada, `posts/${post.id}`);
  const now = await ada.collection('posts').getOne(post.id);
  if (!now.media?.length) await posts.until((all) => all.find(({ record }) => record.media?.length), 'its media', 30_000); // the dead worker's lease
});
