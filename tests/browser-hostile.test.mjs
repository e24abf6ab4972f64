// Hostile words in every field that one can fill: shown to those concerned as words, and in their place.

import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

test('whatever somebody writes is shown inert and unbroken', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, carol] = await windows.service.cast('ada', 'bob', 'carol');
  const admin = await windows.service.admin();
  const endless = 'w'.repeat(10_000);
  const words = [
    '<img src=x onerror=alert(1)><script>alert(2)</script>', 'w'.repeat(2200), '‮right to left‮ مرحبا بالعالم', '👩‍👩‍👧‍👦'.repeat(60), '{{7*7}} ${alert(3)} javascript:alert(4)', '#<b>bold @ada"onclick="alert(5)',
  ];
  await ada.collection('users').update(id(ada), { name: 'x'.repeat(255), bio: `<svg onload=alert(6)>${'y'.repeat(270)}` });
  const made = [];
  for (const caption of words) made.push(await post(ada, { caption, place: caption.slice(0, 120), alts: [caption.slice(0, 500)] }));
  const { id: photo } = await post(ada, { caption: 'here' });
  for (const text of words) await ada.collection('comments').create({ post: photo, text });
  const page = await windows.of('bob', { at: `#/p/${photo}`, viewport: { width: 390, height: 844 } });
  page.on('dialog', (dialog) => windows.wrong.push(`a script ran: ${dialog.message()}`));

  await page.getByText(words[0]).waitFor();
  await windows.accessible(page, 'hostile comments');
  await go(page, '#/@ada');
  await page.locator('.tile').nth(words.length).waitFor();
  await windows.accessible(page, 'a hostile profile');
  await page.getByRole('button', { name: 'Follow ada' }).click();
  await page.getByRole('button', { name: 'Following ada' }).waitFor();
  await go(page, '#/');
  await page.locator('.post').nth(words.length).waitFor();
  await windows.accessible(page, 'a hostile feed');
  await go(page, `#/search/${encodeURIComponent("<img src=x onerror=")}`);
  await page.getByRole('link', { name: /Post by ada/ }).waitFor();
  for (const hash of ['#/tags/<b>', '#/@<script>', '#/nowhere/"><i>', '#/p/%', `#/tags/${endless}`, `#/@${endless}`, `#/search/${endless}`, `#/${endless}`]) {
    page.offline = true; // that there is no such thing is answered with 404
    await go(page, hash);
    await page.locator('.empty').waitFor();
    page.offline = false;
    await windows.narrow(page, hash.slice(0, 40));
  }

  // every field that one can fill, from bob's side: shown to ada, to a moderator and to guests
  await admin.collection('users').update(id(bob), { role: 'moderator' });
  for (const text of words.slice(0, 3)) await bob.collection('comments').create({ post: photo, text });
  await carol.collection('users').update(id(carol), { name: words[0], bio: words[2], avatar: smallPhoto() });
  await carol.collection('follows').create({ followee: id(ada) });
  await carol.collection('reports').create({ user: id(ada), reason: words[2], note: endless.slice(0, 2000) });
  await carol.collection('reports').create({ post: photo, reason: words[0], note: words[0] });
  await carol.collection('devices').create({ kind: 'fcm', endpoint: 'e'.repeat(30), name: words[1].slice(0, 100) });
  await page.reload();
  await go(page, '#/moderation');
  await page.locator('.case').nth(1).waitFor();
  await windows.accessible(page, 'a hostile queue');
  const hers = await windows.of('ada', { viewport: { width: 390, height: 844 } });
  hers.on('dialog', (dialog) => windows.wrong.push(`a script ran: ${dialog.message()}`));
  await hers.getByRole('button', { name: /Notifications/ }).click();
  await hers.getByRole('dialog').getByText('started following you').waitFor();
  await windows.accessible(hers, 'a hostile tray');
  const theirs = await windows.of('carol', { at: '#/settings', viewport: { width: 390, height: 844 } });
  await theirs.locator('.person').first().waitFor();
  await windows.accessible(theirs, 'hostile settings');
  const guest = await windows.of(null, { viewport: { width: 390, height: 844 } });
  guest.on('dialog', (dialog) => windows.wrong.push(`a script ran: ${dialog.message()}`));
  for (const one of [...made.map((post) => `/p/${post.id}`), '/@ada', '/@carol']) {
    await guest.goto(windows.service.url + one);
    await windows.narrow(guest, one);
  }
  await windows.accessible(guest, 'a hostile shared page');

  // what is no photo, and a photo that does not come
  await go(page, '#/');
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  await page.locator('input#photos').setInputFiles({ name: `${'n'.repeat(200)}<img src=x onerror=alert(7)>.jpg`, mimeType: 'image/jpeg', buffer: Buffer.from('no photo at all') });
  await page.getByRole('button', { name: 'Photo 1 of 1, not described yet' }).waitFor();
  await page.getByLabel('Caption').fill(endless);
  page.offline = true; // the 400 is meant
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByRole('dialog').getByRole('alert').getByText(/\w+/).waitFor();
  page.offline = false;
  await windows.accessible(page, 'a refused photo');
  const blind = await windows.of('carol', { viewport: { width: 390, height: 844 }, serviceWorkers: 'block' });
  await blind.route('**/api/files/**', (route) => route.fulfill({ status: 200, contentType: 'image/jpeg', body: 'broken' }));
  await go(blind, `#/p/${photo}`);
  await blind.locator('.single').getByText('This photo did not load.').waitFor();
  await windows.accessible(blind, 'a broken photo');
  windows.fine();
});
