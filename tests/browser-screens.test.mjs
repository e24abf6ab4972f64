// Every screen of the web app but that of posting: what one can do there, and that nobody is kept out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';
import { openTray } from './tray.mjs';

test('between two people: ask to follow, accept, mute, block, report', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await post(ada, { caption: 'for those I accept' });
  const [hers, his] = await Promise.all([windows.of('ada', { at: '#/settings' }), windows.of('bob', { at: '#/@ada', viewport: { width: 390, height: 844 } })]);
  await his.getByRole('link', { name: /Post by ada/ }).waitFor();

  // ada makes her account private: bob must ask
  await hers.getByRole('switch', { name: /Private account/ }).check();
  for (let n = 0; n < 100 && !(await ada.collection('users').getOne(id(ada))).private; n++);
  await his.reload();
  await his.getByText('This account is private').waitFor();
  await windows.accessible(his, 'a private profile');
  await his.getByRole('button', { name: 'Follow ada' }).click();
  await his.getByRole('button', { name: 'Requested ada' }).waitFor();

  await hers.getByRole('button', { name: '1 Notifications' }).click();
  await hers.getByRole('dialog').getByRole('button', { name: /bob asked to follow you/ }).click();
  await hers.getByRole('button', { name: 'Accept bob' }).waitFor();
  await windows.accessible(hers, 'follow requests');
  await hers.getByRole('button', { name: 'Accept bob' }).click();
  await hers.getByText('No requests').waitFor();
  await his.getByText('ada accepted your request to follow.').waitFor();
  await his.reload();
  await his.getByRole('link', { name: /Post by ada/ }).waitFor();
  const figures = (await his.locator('.figures li').allTextContents()).map((text) => text.trim());
  assert.deepEqual(figures, ['1 follower', '0 following']); // her posts are counted for everybody, which is none of them
  await his.getByRole('link', { name: '1 follower' }).click();
  await his.getByRole('dialog', { name: 'Followers' }).getByRole('link', { name: 'bob' }).waitFor();
  await windows.accessible(his, 'followers');
  await his.keyboard.press('Escape');

  // bob reports and mutes, unseen by ada
  await his.getByRole('button', { name: 'More about ada' }).click();
  await his.getByRole('menuitem', { name: 'Report' }).click();
  await his.getByLabel('It is spam').check();
  await windows.accessible(his, 'a report');
  await his.getByRole('button', { name: 'Report', exact: true }).click();
  await his.getByText('A moderator will look at it.').waitFor();
  assert.equal((await bob.collection('reports').getFullList())[0].user, id(ada));
  await his.getByRole('button', { name: 'More about ada' }).click();
  await his.getByRole('menuitem', { name: 'Mute' }).click();
  await his.getByText(/Muted by you/).waitFor();
  await his.getByRole('button', { name: 'More about ada' }).click();
  await his.getByRole('menuitem', { name: 'Unmute' }).click();
  await his.getByText(/Muted by you/).waitFor({ state: 'detached' });

  // ada blocks bob: to him she is gone, to her he can be unblocked
  await go(hers, '#/@bob');
  await hers.getByRole('button', { name: 'More about bob' }).click();
  await hers.getByRole('menuitem', { name: 'Block' }).click();
  await hers.getByRole('button', { name: 'Block', exact: true }).click();
  await hers.getByText('You blocked this account').waitFor();
  await windows.accessible(hers, 'a blocked profile');
  his.offline = true; // the 404 that follows is meant
  await his.reload();
  await his.getByText('There is nobody with this handle.').waitFor();
  his.offline = false;
  await go(hers, '#/settings');
  await hers.getByText('Blocked', { exact: false }).click();
  await hers.getByRole('button', { name: 'Unblock bob' }).click();
  await hers.getByText('You have blocked nobody.').waitFor();
  assert.equal((await ada.collection('blocks').getFullList()).length, 0);
  windows.fine();
});

test('settings, search, saved, and the account itself', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  const { id: photo } = await post(bob, { caption: 'a lighthouse at #noon' });
  const page = await windows.of('ada', { at: '#/search', viewport: { width: 390, height: 844 } });

  // search: nothing asked, people and hashtags while typing, posts by their words
  await page.getByRole('link', { name: /Post by bob/ }).waitFor();
  await windows.accessible(page, 'search');
  await page.getByLabel('Search people').fill('noo');
  await page.getByRole('link', { name: 'noon' }).waitFor();
  await page.getByLabel('Search people').fill('lighthouse');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /Post by bob/ }).waitFor();
  await page.getByRole('link', { name: 'People', exact: true }).click();
  await page.getByText('Nothing found').waitFor();
  await windows.accessible(page, 'an answer');

  // what is saved is found again
  await go(page, `#/p/${photo}`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Save', pressed: true }).waitFor();
  for (let n = 0; n < 100 && !(await ada.collection('saves').getFullList()).length; n++);
  await go(page, '#/saved');
  await page.getByRole('link', { name: /Post by bob/ }).waitFor();
  await windows.accessible(page, 'saved');

  // settings are stored as they are made
  await go(page, '#/settings');
  await page.locator('summary').filter({ hasText: /^Likes in/ }).click();
  await page.getByRole('switch', { name: 'Push to your devices' }).first().uncheck();
  await page.locator('#mail-like').selectOption('off');
  await page.locator('#from-like').selectOption('follows');
  await page.getByLabel('E-mail digest').selectOption('daily');
  await page.getByRole('switch', { name: /Quiet hours/ }).check();
  await page.getByLabel('From', { exact: true }).last().fill('23:15');
  await windows.accessible(page, 'settings');
  const stored = () => ada.collection('settings').getFirstListItem('');
  for (let n = 0; n < 200 && (await stored()).quietFrom !== '23:15'; n++);
  const { notify, digest, quietFrom, quietTo, timezone } = await stored();
  assert.deepEqual(notify.like, { push: false, mail: 'off', from: 'follows' });
  assert.deepEqual({ digest, quietFrom, quietTo }, { digest: 'daily', quietFrom: '23:15', quietTo: '07:00' });
  assert.ok(timezone);

  await page.getByLabel('Name', { exact: true }).fill('Ada ‮evil');
  await page.getByLabel('Handle').fill('b');
  page.offline = true; // the 400 is meant
  await page.getByRole('button', { name: 'Save profile' }).click();
  await page.locator('#my-handle-problem').waitFor();
  page.offline = false;
  await page.getByLabel('Handle').fill('ada.lovelace');
  await page.getByRole('button', { name: 'Save profile' }).click();
  await page.getByText('Your profile is saved.').waitFor();

  // push is asked for after a tap, and not before; this browser says no
  await page.evaluate(() => {
    const ask = Notification.requestPermission.bind(Notification);
    globalThis.asked = 0;
    Notification.requestPermission = () => (globalThis.asked++, ask());
  });
  assert.equal(await page.evaluate(() => globalThis.asked), 0);
  await page.getByRole('button', { name: 'Push to this device' }).click();
  await page.getByText('Your browser does not allow messages from this page.').waitFor();
  assert.equal(await page.evaluate(() => globalThis.asked), 1);
  assert.equal((await ada.collection('devices').getFullList()).length, 0);

  await page.getByText('Change password').first().click();
  await page.getByLabel('Present password').fill('correct-horse');
  await page.getByLabel('New password').fill('even-more-correct');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Your password is changed.').waitFor();
  await page.getByLabel('Handle or e-mail').fill('ada.lovelace');
  await page.getByLabel('Password', { exact: true }).fill('even-more-correct');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();

  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download my data' }).click()]);
  const data = JSON.parse(await (await file.createReadStream()).toArray().then((chunks) => Buffer.concat(chunks).toString()));
  assert.equal(data.users[0].handle, 'ada.lovelace');
  assert.equal(data.saves[0].post, photo);

  await page.getByRole('button', { name: 'Delete account' }).click();
  const sure = page.getByRole('button', { name: 'Delete my account' });
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel(/Type your handle/).fill('ada.lovelace');
  await windows.accessible(page, 'the last question');
  await sure.click();
  await page.getByText('Your account is deleted.').waitFor();
  windows.fine();
});

test('what ada turns off for likes is off, and a device that she removes is gone', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  const { id: first } = await post(ada);
  const { id: second } = await post(ada);
  const devices = () => ada.collection('devices').getFullList();
  for (const name of ['old phone', 'tablet']) await ada.collection('devices').create({ kind: 'fcm', endpoint: name.replace(' ', '-').repeat(5), name });
  const page = await windows.of('ada', { at: '#/settings' });

  await page.getByRole('listitem').filter({ hasText: 'old phone' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('old phone').waitFor({ state: 'detached' });
  await page.getByText('tablet').waitFor();
  assert.deepEqual((await devices()).map(({ name }) => name), ['tablet']);

  // not at once: the like waits in the list, while the comment after it is told
  const likes = page.locator('details').filter({ has: page.locator('summary').filter({ hasText: /^Likes in/ }) });
  const kept = async () => (await ada.collection('settings').getFirstListItem('')).notify?.like ?? {};
  await likes.locator('summary').click();
  await likes.getByRole('switch', { name: 'A message while you are here' }).uncheck();
  for (let n = 0; n < 200 && (await kept()).live !== false; n++);
  assert.deepEqual(await kept(), { live: false });
  const device = await openTray(ada, { catchUp: false }); // knows what it is told, and no more
  await bob.collection('likes').create({ post: first });
  await bob.collection('comments').create({ post: first, text: 'and in words' });
  await page.getByRole('status').getByText('bob commented on your photo.').waitFor();
  await device.until((rows) => rows.some(({ type }) => type === 'comment'), 'the comment');
  assert.deepEqual(device.state().map(({ type }) => type), ['comment']);
  await page.getByRole('button', { name: '1 Notifications' }).click();
  const tray = page.getByRole('dialog', { name: 'Notifications' });
  await tray.getByRole('button', { name: /bob liked your photo/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !history.state?.over); // the dialog goes back, which would end the reload
  await page.reload();
  await page.getByRole('button', { name: 'Notifications', exact: true }).click();
  await tray.getByRole('button', { name: /bob liked your photo/ }).waitFor();
  await page.keyboard.press('Escape');

  // not in the list either: of two likes, the tray knows the one from before
  await likes.locator('summary').click();
  await likes.getByRole('switch', { name: 'In the list' }).uncheck();
  for (let n = 0; n < 200 && (await kept()).list !== false; n++);
  assert.deepEqual(await kept(), { live: false, list: false });
  await bob.collection('likes').create({ post: second });
  await bob.collection('comments').create({ post: second, text: 'here as well' });
  await page.getByRole('button', { name: '1 Notifications' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: '1 Notifications' }).click();
  await tray.getByRole('button', { name: /here as well/ }).waitFor();
  assert.equal(await tray.getByRole('button', { name: /bob liked your photo/ }).count(), 1);
  windows.fine();
});

test('a link that is followed in the very first moment leads to its place', { skip }, async (t) => {
  const windows = await browse(t);
  const page = await windows.of('ada');
  await page.addInitScript(() => new MutationObserver((_, observer) => {
    if (!document.querySelector('nav')) return;
    observer.disconnect();
    location.hash = '#/settings'; // drawn, but not yet shown
  }).observe(document, { childList: true, subtree: true }));
  await page.reload();
  await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
  windows.fine();
});
