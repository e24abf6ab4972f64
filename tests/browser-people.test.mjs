// What leads from a post and from the news to people, and what one can do with them there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { misfits } from './layout.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';

const phone = { viewport: { width: 390, height: 844 } };
const menu = async (page, label, action) => {
  await page.getByRole('button', { name: label }).first().click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
};
const until = async (holds) => { for (let n = 0; n < 400 && !(await holds()); n++); };

/** Pictures for people to look at, where a folder is named. */
async function looks(windows, page, name) {
  await windows.accessible(page, name);
  if (process.env.PICTURES) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${process.env.PICTURES}/${name}-${page.viewportSize().width}-${colorScheme}.png` });
    }
  }
}

test('who liked a post: by the viewer\'s rules, and followed from there', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, carol, dave, mallory] = await windows.service.cast('ada', 'bob', 'carol', 'dave', 'mallory');
  const { id: photo } = await post(ada, { caption: 'a lighthouse' });
  for (const pb of [carol, dave, mallory]) await pb.collection('likes').create({ post: photo });
  await bob.collection('follows').create({ followee: id(ada) });
  await mallory.collection('blocks').create({ blocked: id(bob) });
  const page = await windows.of('bob', phone);
  await page.getByRole('button', { name: '3 likes' }).click();
  const likers = page.getByRole('dialog', { name: 'Likes' });
  await likers.getByRole('button', { name: 'Follow carol' }).waitFor();
  assert.deepEqual(await likers.locator('.handle').allTextContents(), ['dave', 'carol']); // the newest first, and not whoever blocks him
  await looks(windows, page, 'likes');
  windows.wrong.push(...(await misfits(page)).map((what) => `likes, ${what}`));
  await page.setViewportSize(phone.viewport);
  await likers.getByRole('button', { name: 'Follow carol' }).click();
  await likers.getByRole('button', { name: 'Following carol' }).waitFor();
  assert.equal((await bob.collection('follows').getFullList()).length, 2);

  // Back closes it; a name leads to its profile, and Back from there to the feed
  await page.goBack();
  await likers.waitFor({ state: 'detached' });
  await page.getByText('a lighthouse').waitFor();
  await page.getByRole('button', { name: '3 likes' }).click();
  await likers.getByRole('link', { name: 'dave' }).click();
  await page.getByRole('heading', { name: 'dave' }).waitFor();
  await page.goBack();
  await page.getByText('a lighthouse').waitFor();
  assert.equal(await likers.count(), 0);
  windows.fine();
});

test('the menu of a post: copy its link, unfollow, block', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, carol] = await windows.service.cast('ada', 'bob', 'carol');
  for (const pb of [ada, carol]) await bob.collection('follows').create({ followee: id(pb) });
  const { id: photo } = await post(ada, { caption: 'a lighthouse' });
  await post(carol, { caption: 'a harbour' });
  const page = await windows.of('bob', { permissions: ['clipboard-read', 'clipboard-write'] });
  await menu(page, 'More about the post by ada', 'Copy link');
  await page.getByText('The link is copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${windows.service.url}/p/${photo}`);
  await page.getByRole('button', { name: 'More about the post by ada' }).click();
  await looks(windows, page, 'post-menu');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'More about the post by ada'); // the focus comes back

  await menu(page, 'More about the post by ada', 'Unfollow ada');
  await page.getByText('a lighthouse').waitFor({ state: 'detached' });
  assert.equal((await bob.collection('follows').getFullList({ filter: `followee = "${id(ada)}"` })).length, 0);

  await menu(page, 'More about the post by carol', 'Block carol');
  await page.getByRole('dialog', { name: 'Block carol?' }).getByRole('button', { name: 'Block', exact: true }).click();
  await page.getByText('a harbour').waitFor({ state: 'detached' });
  assert.equal((await bob.collection('blocks').getFullList())[0].blocked, id(carol));
  windows.fine();
});

test('whom one cannot follow again without asking is not let go by one tap', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await bob.collection('follows').create({ followee: id(ada) });
  await post(ada, { caption: 'a lighthouse' });
  await ada.collection('users').update(id(ada), { private: true });
  const page = await windows.of('bob', { ...phone, at: '#/@ada' });
  const follows = async () => (await bob.collection('follows').getFullList()).length;
  const question = page.getByRole('dialog', { name: 'Unfollow ada?' });
  await page.getByRole('button', { name: 'Following ada' }).click();
  await looks(windows, page, 'unfollow');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'detached' });
  assert.equal(await follows(), 1);

  await go(page, '#/'); // in the menu of a post, too
  await menu(page, 'More about the post by ada', 'Unfollow ada');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'detached' });
  assert.equal(await follows(), 1);
  await menu(page, 'More about the post by ada', 'Unfollow ada');
  await question.getByRole('button', { name: 'Unfollow' }).click();
  await page.getByText('a lighthouse').waitFor({ state: 'detached' });
  assert.equal(await follows(), 0);
  windows.fine();
});

test('a bell for one person\'s posts', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  const page = await windows.of('bob', { ...phone, at: '#/@ada' });
  const bell = page.getByRole('button', { name: 'Tell me when ada posts' });
  await page.getByRole('button', { name: 'Follow ada' }).click();
  await bell.waitFor();
  assert.equal(await bell.getAttribute('aria-pressed'), 'false');
  await bell.click();
  await page.getByText('You are told when ada posts.').waitFor();
  await looks(windows, page, 'bell');
  const rung = async () => (await bob.collection('follows').getFullList())[0].notify;
  await until(rung);
  assert.equal(await rung(), true);
  await post(ada, { caption: 'a lighthouse' });
  await page.getByText('ada shared a photo.').waitFor();
  await page.reload();
  await page.waitForFunction(() => document.querySelector('.bell')?.getAttribute('aria-pressed') === 'true');
  await bell.click();
  await page.getByText('You are no longer told').waitFor();
  assert.equal(await rung(), false);
  await page.getByRole('button', { name: 'Following ada' }).click();
  await bell.waitFor({ state: 'detached' });
  windows.fine();
});

test('faces and names lead to people, addresses in a bio away from here', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await ada.collection('users').update(id(ada), { bio: 'see https://ada.example/notes?a=1, (http://two.example/x). javascript:alert(1) https://spoof.example/‮gpj.exe and @bob' });
  await bob.collection('follows').create({ followee: id(ada) });
  const { id: photo } = await post(ada, { caption: 'a lighthouse' });
  await bob.collection('comments').create({ post: photo, text: 'so high' });
  const page = await windows.of('bob');
  for (const [place, face, of] of [['#/', '.post-head .face', '@ada'], [`#/p/${photo}`, '.comment .face', '@bob'], ['#/@ada/followers', '.person .face', '@bob']]) {
    await go(page, '#/search');
    await page.getByRole('heading', { name: 'Search' }).waitFor({ state: 'attached' });
    await go(page, place);
    await page.locator(face).filter({ visible: true }).first().click();
    await page.waitForFunction((hash) => location.hash === `#/${hash}`, of);
  }
  await go(page, '#/@ada');
  const links = page.locator('.profile-bio a');
  await links.first().waitFor();
  assert.deepEqual(await links.evaluateAll((all) => all.map((one) => [one.textContent, one.getAttribute('href'), one.rel])), [
    ['https://ada.example/notes?a=1', 'https://ada.example/notes?a=1', 'ugc nofollow noopener noreferrer'],
    ['http://two.example/x', 'http://two.example/x', 'ugc nofollow noopener noreferrer'],
    ['https://spoof.example/', 'https://spoof.example/', 'ugc nofollow noopener noreferrer'], ['@bob', '#/@bob', ''],
  ]);
  await looks(windows, page, 'bio');

  // in the tray the face leads to the person, and the row to the post
  const hers = await windows.of('ada');
  await hers.getByRole('button', { name: /Notifications/ }).click();
  await hers.locator('.row').filter({ hasText: 'commented' }).locator('.face').click();
  await hers.getByRole('heading', { name: 'bob' }).waitFor();
  assert.equal(await hers.getByRole('dialog').count(), 0);
  windows.fine();
});

test('requests are answered in the tray, and one\'s own profile has the ways out', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, carol] = await windows.service.cast('ada', 'bob', 'carol');
  await ada.collection('users').update(id(ada), { private: true });
  await bob.collection('follows').create({ followee: id(ada) });
  const page = await windows.of('ada', phone);
  await page.getByRole('button', { name: '1 Notifications' }).click();
  const tray = page.getByRole('dialog', { name: 'Notifications' });
  await tray.getByRole('button', { name: 'Accept bob' }).waitFor();
  await looks(windows, page, 'tray-requests');
  windows.wrong.push(...(await misfits(page)).map((what) => `the tray, ${what}`));
  await page.setViewportSize(phone.viewport);
  await carol.collection('follows').create({ followee: id(ada) }); // while it is open
  await tray.getByRole('button', { name: 'Accept bob' }).click();
  await tray.getByRole('button', { name: 'Accept bob' }).waitFor({ state: 'detached' });
  await tray.getByRole('button', { name: 'Decline carol' }).click();
  await tray.getByRole('button', { name: 'Decline carol' }).waitFor({ state: 'detached' });
  assert.deepEqual((await ada.collection('follows').getFullList()).map(({ follower, state }) => [follower, state]), [[id(bob), 'accepted']]);
  await page.keyboard.press('Escape');
  await tray.waitFor({ state: 'detached' });

  await go(page, '#/@ada');
  await page.getByRole('button', { name: 'More about you' }).click();
  await looks(windows, page, 'own-menu');
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
  await go(page, '#/@ada');
  await menu(page, 'More about you', 'Sign out');
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  windows.fine();
});
