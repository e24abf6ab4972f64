// A photo as large as the window, and what is said of it: where it was taken and what it shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, go, skip } from './browser.mjs';
import { inspectScreen } from './layout.mjs';
import { post, smallPhoto } from './photo.mjs';

const phone = { viewport: { width: 390, height: 844 } };

test('a photo enlarges: by button, keys, wheel and two fingers; Back closes it', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const { id: photo } = await post(ada, { photos: [smallPhoto(), smallPhoto()], alts: ['a lighthouse', 'a harbour'], caption: 'two' });
  const page = await windows.of('ada', { ...phone, hasTouch: true, at: `#/p/${photo}` });
  const frame = page.locator('.single .frame');
  await frame.getByRole('button', { name: 'Enlarge' }).click();
  const viewer = page.getByRole('dialog', { name: 'Photo 1 of 2' });
  await viewer.getByRole('img', { name: 'a lighthouse' }).waitFor();
  await inspectScreen(windows, page, 'enlarged');
  const zoomer = page.locator('.zoomer');
  const is = (percent) => page.getByText(`${percent} %`, { exact: true }).waitFor();
  await page.keyboard.press('+');
  await is(150);
  const place = () => zoomer.evaluate((box) => new DOMMatrix(getComputedStyle(box.firstElementChild).transform).e);
  assert.equal(await place(), 0);
  await page.keyboard.press('ArrowRight'); // which is to the right of the photo, not to the next one
  assert.equal(await place(), -80);
  await page.keyboard.press('0');
  await is(100);
  await page.keyboard.press('ArrowRight');
  await page.getByRole('dialog', { name: 'Photo 2 of 2' }).getByRole('img', { name: 'a harbour' }).waitFor();
  await page.getByRole('button', { name: 'Photo before' }).click();
  await viewer.waitFor();
  const box = await zoomer.boundingBox();
  await page.mouse.move(box.x + 50, box.y + 50);
  await page.mouse.wheel(0, -400);
  await page.waitForFunction(() => Number.parseInt(document.querySelector('.zoom-tools [role=status]').textContent) > 200);
  await page.keyboard.press('0');

  // two fingers that part, as the browser hears them
  const touch = await page.context().newCDPSession(page);
  const fingers = (apart) => [-1, 1].map((side, id) => ({ x: 195 + side * apart, y: 400, id }));
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(40) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(60) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(120) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await is(300);
  await page.keyboard.press('0');
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: 300, y: 400 }] });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: 100, y: 410 }] });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await page.getByRole('dialog', { name: 'Photo 2 of 2' }).waitFor();

  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).hash, `#/p/${photo}`);
  assert.equal((await ada.collection('posts').getOne(photo)).likesCount, 0); // none of it was a double tap

  // and two fingers on the photo itself open it
  const at = await frame.boundingBox();
  const two = [{ x: at.x + 100, y: at.y + 100, id: 0 }, { x: at.x + 200, y: at.y + 100, id: 1 }];
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: two });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await viewer.waitFor();
  await is(200);
  await page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  windows.fine();
});

test('a place is set with a post and changed later; each description stands beside its photo', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const page = await windows.of('ada', phone);
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  await page.locator('input#photos').setInputFiles([await chosen(smallPhoto()), await chosen(smallPhoto())]);
  await page.getByRole('button', { name: 'Photo 2 of 2, not described yet' }).waitFor();
  await page.getByLabel('Place').fill('  By the sea ');
  await page.keyboard.press('Escape'); // kept as a draft, as all that is typed
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  await page.waitForFunction(() => document.getElementById('place')?.value === '  By the sea ');
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByText('Your photo is posted.').waitFor();
  const [made] = await ada.collection('posts').getFullList();
  assert.equal(made.place, 'By the sea');
  await page.locator('.post-when').getByText('By the sea').waitFor();

  await go(page, `#/p/${made.id}`);
  await page.locator('.single .post').getByRole('button', { name: /More about the post/ }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit post' });
  await page.waitForFunction(() => document.querySelectorAll('.described .is-shown').length === 2);
  assert.notEqual(...await edit.locator('.described img').evaluateAll((all) => all.map((img) => img.currentSrc)));
  await inspectScreen(windows, page, 'edit');
  await edit.getByLabel('Place').fill('In the hills');
  await edit.getByLabel('Description of photo 2').fill('a harbour');
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.locator('.single .post-when').getByText('In the hills').waitFor();
  const changed = await ada.collection('posts').getOne(made.id);
  assert.deepEqual([changed.place, changed.alts], ['In the hills', ['', 'a harbour']]);
  windows.fine();
});
