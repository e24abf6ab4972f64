// What the app says is true: of the connection, of what it will tell whom, of what was refused and why.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, go, skip } from './browser.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

test('each state of the connection has its own words, and what failed is tried again by itself', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada] = await windows.service.cast('ada');
  await post(ada, { caption: 'a lighthouse' });
  const page = await windows.of('ada', { serviceWorkers: 'block' });
  await page.getByText('a lighthouse').waitFor();
  const said = page.locator('.offline');
  page.offline = true; // all of it is meant

  // live updates alone are cut
  await page.route('**/api/realtime', (route) => route.abort());
  await page.reload();
  await page.getByText('a lighthouse').waitFor();
  await said.getByText('Live updates are late').waitFor();
  assert.equal(await page.getByText('You are offline').count(), 0);
  await page.unroute('**/api/realtime');
  await said.locator('span').waitFor({ state: 'detached' });

  // the server is gone, the line is not: a page that could not be loaded shows when it is back
  for (const place of ['#/tags/sea', '#/saved', '#/']) await go(page, place).then(() => page.locator('.main-feed .post, .empty').filter({ visible: true }).first().waitFor());
  await windows.service.kill();
  await go(page, '#/tags/sky');
  await page.getByText('The photos did not load').waitFor();
  await page.getByText('It is tried again by itself.').first().waitFor();
  await said.getByText('The server does not answer.').waitFor();
  await windows.service.start();
  await page.getByText('No photos here').waitFor();
  await said.locator('span').waitFor({ state: 'detached' });

  // the same when not even the page is there yet
  await windows.service.kill();
  await go(page, '#/requests');
  await page.getByText('This page did not load').waitFor();
  await windows.service.start();
  await page.getByText('No requests').waitFor({ timeout: 60_000 });
  await said.locator('span').waitFor({ state: 'detached' });

  // the line is gone; the page that is opened then is one whose module is there
  await go(page, '#/saved');
  await page.getByText('Nothing saved yet').waitFor();
  await go(page, '#/requests');
  await page.getByText('No requests').waitFor();
  await page.context().setOffline(true);
  await said.getByText('You are offline.').waitFor();
  await go(page, '#/saved');
  await page.getByText('The photos did not load').waitFor();
  await page.context().setOffline(false);
  await page.getByText('Nothing saved yet').waitFor();
  await said.locator('span').waitFor({ state: 'detached' });
  windows.fine();
});

test('settings promise what will come, and no more', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const admin = await windows.service.admin();
  const page = await windows.of('ada', { at: '#/settings' });
  const likes = page.locator('summary').filter({ hasText: /^Likes in/ });
  const promised = async (words) => likes.filter({ hasText: new RegExp(`^Likes ${words}$`) }).waitFor();
  await promised('in the list, live');
  await page.getByText('No e-mail is sent until your address is verified.').waitFor();
  await likes.click();
  await page.getByText('No device takes push yet').first().waitFor();
  await windows.accessible(page, 'settings that promise nothing');

  await admin.collection('users').update(id(ada), { verified: true });
  await ada.collection('devices').create({ kind: 'fcm', endpoint: 'e'.repeat(30), name: 'a phone' });
  await page.reload();
  await promised('in the list, live, push');
  await page.getByLabel('E-mail digest').selectOption('daily');
  await promised('in the list, live, push, e-mail');
  await page.getByLabel('E-mail digest').selectOption('off');
  await promised('in the list, live, push');
  await likes.click();
  await page.locator('#mail-like').selectOption('now');
  await promised('in the list, live, push, e-mail');
  windows.fine();
});

test('the photo that was refused is named, and shown', { skip }, async (t) => {
  const windows = await browse(t);
  await windows.service.as('ada');
  const page = await windows.of('ada');
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  const broken = { name: 'holiday 7.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no photo at all') };
  await page.locator('input#photos').setInputFiles([{ name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') }, await chosen(smallPhoto())]);
  await page.getByText('letter.pdf: photos are JPEG, PNG, WebP, GIF or HEIC files.').waitFor();
  await page.locator('input#photos').setInputFiles([broken, await chosen(smallPhoto())]);
  await page.getByRole('button', { name: 'Photo 3 of 3, not described yet' }).waitFor();
  page.offline = true; // the 400 is meant
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByText('Photo 2, holiday 7.jpg: This is not a photo we can read. Please use JPEG, PNG, WebP, GIF or HEIC.').waitFor();
  page.offline = false;
  assert.equal(await page.getByRole('button', { name: /Photo 2 of 3/ }).getAttribute('aria-pressed'), 'true');
  windows.fine();
});

test('an end that was wished is no error', { skip }, async (t) => {
  const windows = await browse(t);
  await windows.service.as('ada');
  const page = await windows.of('ada', { at: '#/settings' });
  await page.getByRole('button', { name: 'Delete account' }).click();
  await page.getByLabel(/Type your handle/).fill('ada');
  await page.getByRole('button', { name: 'Delete my account' }).click();
  await page.getByRole('status').getByText('Your account is deleted.').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await page.getByLabel('Handle or e-mail').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill('correct-horse');
  page.offline = true; // the 400 is meant
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').getByText('do not belong together').waitFor();
  windows.fine();
});
