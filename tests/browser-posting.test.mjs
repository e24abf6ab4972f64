// Posting: how photos are chosen, described, sent and changed, and how a photo looks until it has come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, go, skip } from './browser.mjs';
import { post, smallPhoto } from './photo.mjs';

/** A picture of known shape, made by the browser. */
async function picture(page, width, height, name) {
  const bytes = await page.evaluate(async ([w, h]) => {
    const canvas = new OffscreenCanvas(w, h);
    const ink = canvas.getContext('2d');
    for (let x = 0; x < w; x += 40) {
      ink.fillStyle = `hsl(${x / 4} 60% 50%)`;
      ink.fillRect(x, 0, 40, h);
    }
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())];
  }, [width, height]);
  return { name, mimeType: 'image/jpeg', buffer: Buffer.from(bytes) };
}

test('posting: several photos, cut and described, sent with progress, changed and deleted', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const page = await windows.of('ada', { viewport: { width: 768, height: 1024 } });
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  await page.locator('input#photos').setInputFiles([await picture(page, 1600, 1200, 'wide.jpg'), await picture(page, 800, 1200, 'tall.jpg'), await chosen(smallPhoto())]);
  await page.getByRole('button', { name: 'Photo 1 of 3, not described yet' }).waitFor();
  await page.getByLabel('Description of photo 1').fill('Stripes, wide');

  await page.getByRole('button', { name: 'Square' }).click();
  await page.getByLabel('Closer').fill('2');
  await page.getByRole('img', { name: /Photo 1 as it will be seen/ }).press('ArrowRight');
  await windows.accessible(page, 'a photo being cut');
  await page.getByRole('button', { name: 'Photo 2 of 3, not described yet' }).click();
  await page.getByRole('button', { name: '4:5' }).click();
  await page.getByRole('button', { name: 'Move earlier' }).click();
  await page.getByRole('button', { name: /Photo 3 of 3/ }).click();
  await page.getByRole('button', { name: 'Take out photo 3' }).click();
  await page.getByLabel('Caption').fill('stripes for @ada #stripes');

  // an upload that is given up leaves nothing; the next one shows how far it is
  const held = [];
  await page.route('**/api/collections/posts/records*', (route) => void held.push(route)); // a line so slow that nothing arrives
  page.offline = true; // what is cancelled is an error to the browser
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByRole('progressbar', { name: 'Upload' }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Post', exact: true }).waitFor();
  await Promise.allSettled(held.map((route) => route.abort()));
  page.offline = false;
  await page.unroute('**/api/collections/posts/records*');
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByText('Your photo is posted.').waitFor();
  const [made, ...others] = await ada.collection('posts').getFullList();
  assert.equal(others.length, 0);
  assert.equal(made.photos.length, 2);
  assert.deepEqual(made.alts, ['', 'Stripes, wide']);
  const article = page.getByRole('article', { name: 'Post by ada' });
  await article.getByText('1 / 2').waitFor();
  assert.equal(await page.getByText('Your draft is kept.').count(), 0);
  await article.locator('img.is-shown').first().waitFor();
  const media = async () => (await ada.collection('posts').getOne(made.id)).media;
  for (let n = 0; n < 400 && !(await media())?.length; n++);
  const [tall, wide] = await media();
  assert.ok(Math.abs(tall.w / tall.h - 0.8) < 0.01, `4:5 is ${tall.w}x${tall.h}`);
  assert.equal(wide.w, wide.h);
  assert.ok(Math.abs(wide.w - 600) <= 1, `half of 1200 is ${wide.w}`);

  // srcset from the renditions, and a placeholder from the hash
  await page.reload();
  await article.locator('img.is-shown').first().waitFor();
  assert.match(await article.locator('img').first().getAttribute('srcset'), /thumb=320x320f.* \d+w, .*thumb=640x640f/);

  await article.getByRole('button', { name: 'More about the post by ada' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await page.getByLabel('Caption').fill('only for me now');
  await page.getByLabel('Who can see it').selectOption('private');
  await windows.accessible(page, 'a post being changed');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await article.getByText('Only you').waitFor();
  await article.getByText('only for me now').waitFor();
  await article.getByRole('button', { name: 'More about the post by ada' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete post' }).click();
  await page.getByText('It is quiet here').waitFor();
  windows.fine();
});

test('a photo is a blur of its own colours until it has come', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const { id: photo } = await post(ada, { photos: [smallPhoto(), smallPhoto()] });
  const media = async () => (await ada.collection('posts').getOne(photo)).media;
  for (let n = 0; n < 400 && !(await media())?.[0]?.hash; n++);
  const page = await windows.of('ada', { at: '#/settings', serviceWorkers: 'block' });
  let letGo;
  const come = new Promise((resolve) => (letGo = resolve));
  await page.route('**/api/files/**', (route) => come.then(() => route.continue()));
  await go(page, `#/p/${photo}`);
  const slide = page.locator('.single .slide').first();
  await slide.locator('canvas.blur').waitFor();
  await page.waitForFunction((blur) => blur.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255, await slide.locator('canvas.blur').elementHandle()); // drawn
  assert.equal(await slide.locator('img').evaluate((img) => img.complete), false);
  assert.equal(await slide.locator('img').evaluate((img) => getComputedStyle(img).opacity), '0');
  letGo();
  await slide.locator('img.is-shown').waitFor();
  await slide.locator('canvas.blur').waitFor({ state: 'detached' });
  assert.ok(await slide.locator('img').evaluate((img) => img.complete && img.naturalWidth > 0));
  windows.fine();
});
