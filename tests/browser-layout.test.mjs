// Every dialog and every screen with the longest names, the largest counts and the most photos: nothing sticks out and
// nothing is cut off, neither at the edge of the page nor inside of what scrolls.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, go, skip } from './browser.mjs';
import { misfits } from './layout.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

const endless = 'w'.repeat(255);
const handle = 'w'.repeat(30);
const arabic = '‮right to left‮ مرحبا بالعالم ';
const counted = /^(likes|comments|posts|followers|following|replies|actors)Count$|^reports$/;

/** What a service with a million people would answer: every count has six digits. */
async function crowded(page) {
  await page.route('**/api/**', async (route) => {
    if (route.request().method() !== 'GET' || !/\/(records|queue|search|newcomers)/.test(route.request().url())) return route.fallback();
    const answer = await route.fetch().catch(() => null); // the page is closing
    if (!answer) return undefined;
    const grow = (name, value) => (counted.test(name) && typeof value === 'number' ? 123_456 : value);
    const body = await answer.text();
    return route.fulfill({ response: answer, body: answer.ok() ? JSON.stringify(JSON.parse(body, grow)) : body });
  });
}

test('nothing sticks out and nothing is cut off, whatever people write', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [ada, bob, carol] = await service.cast('ada', 'bob', 'carol');
  const admin = await service.admin();
  await ada.collection('users').update(id(ada), { name: endless, bio: arabic.repeat(5) + 'y'.repeat(140) });
  await bob.collection('users').update(id(bob), { handle, name: endless, bio: 'y'.repeat(300) });
  await admin.collection('users').update(id(ada), { role: 'moderator' });
  for (const pb of [bob, carol]) await pb.collection('follows').create({ followee: id(ada) });
  await ada.collection('follows').create({ followee: id(bob) });
  await ada.collection('blocks').create({ blocked: id(await service.as('mallory')) });
  await ada.collection('devices').create({ kind: 'fcm', endpoint: 'e'.repeat(30), name: endless.slice(0, 100) });
  const words = `${arabic}#${'h'.repeat(60)} ${'c'.repeat(300)}`;
  const photos = Array.from({ length: 10 }, () => smallPhoto());
  const { id: hers } = await post(ada, { photos, caption: words, place: endless.slice(0, 120), alts: photos.map(() => endless), visibility: 'followers' });
  const { id: his } = await post(bob, { photos, caption: words, place: arabic.repeat(3).slice(0, 120), alts: photos.map(() => endless) });
  await ada.collection('likes').create({ post: his });
  await ada.collection('saves').create({ post: his });
  for (const [pb, text] of [[bob, words], [ada, endless], [bob, arabic]]) await pb.collection('comments').create({ post: his, text });
  const story = await ada.collection('stories').create({ photo: smallPhoto(), visibility: 'followers' });
  await bob.collection('story_views').create({ story: story.id });
  await bob.collection('stories').create({ photo: smallPhoto() });
  await carol.collection('reports').create({ post: his, reason: endless.slice(0, 60), note: endless });
  await carol.collection('reports').create({ user: id(bob), reason: 'spam', note: arabic });

  await bob.collection('users').update(id(bob), { private: true });

  const page = await windows.of('ada', { viewport: { width: 390, height: 844 }, serviceWorkers: 'block' });
  await crowded(page);
  await page.reload();
  await page.locator('.post').nth(1).waitFor();
  const check = async (where) => windows.wrong.push(...(await misfits(page)).map((what) => `${where}, ${what}`));
  const within = (name) => page.getByRole('dialog').filter({ hasText: name });
  /** A dialog: opened, looked at and left. */
  const dialog = async (where, open, ready = page.getByRole('dialog')) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open();
    await ready.waitFor();
    await check(where);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  const menu = async (label, action) => {
    await page.getByRole('button', { name: label }).first().click();
    await page.getByRole('menuitem', { name: action }).click();
  };

  // a badge of one, two and many digits
  const badge = page.locator('.badge');
  for (let n = 0; n < 110; n++) {
    await carol.collection('likes').create({ post: (await post(ada)).id });
    if (n === 12) await badge.filter({ hasText: /^1\d$/ }).waitFor();
    if (n === 12) await check('a badge of two digits');
  }
  await badge.getByText('99+', { exact: true }).waitFor();
  await check('a badge of many');
  await dialog('the tray', () => page.getByRole('button', { name: /Notifications/ }).click(), page.locator('.row').nth(20));

  await ada.collection('users').update(id(ada), { private: true });
  await (await service.as('eve')).collection('follows').create({ followee: id(ada) });

  // the screens
  const screens = {
    '': page.locator('.post').nth(1), [`p/${his}`]: page.locator('.comment').nth(2), '@ada': page.locator('.tile').first(), [`@${handle}`]: page.locator('.tile').first(),
    search: page.locator('.tile').first(), [`search/${handle}`]: page.locator('.tabs'), [`search/${handle}/users`]: page.locator('.person').first(),
    [`tags/${'h'.repeat(60)}`]: page.locator('.tile').first(), saved: page.locator('.tile').first(), requests: page.locator('.empty, .person').first(), settings: page.locator('.folds'),
    moderation: page.locator('.case').nth(1), [`nowhere/${endless}`]: page.locator('.empty'),
  };
  for (const [place, ready] of Object.entries(screens)) {
    await go(page, `#/${place}`);
    await ready.waitFor();
    if (place === 'settings') await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
    await check(place ? place.slice(0, 20) : 'the feed');
  }

  // the dialogs
  await go(page, '#/');
  await page.locator('.post').nth(1).waitFor();
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  for (const count of [4, 10]) {
    await page.locator('input#photos').setInputFiles(Array.from({ length: count === 4 ? 4 : 6 }, (_, n) => ({ name: `${endless.slice(0, 100)}${n}.png`, mimeType: 'image/png', buffer: large })));
    await page.getByRole('button', { name: `Photo ${count} of ${count}, not described yet` }).waitFor();
    await page.getByLabel('Caption').fill(words);
    await page.getByRole('button', { name: '16:9' }).click();
    await check(`posting ${count} photos`);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await go(page, `#/p/${hers}`);
  await page.locator('.single .post').waitFor();
  await dialog('editing', () => menu(/More about the post/, 'Edit'));
  await dialog('deleting', () => menu(/More about the post/, 'Delete'));
  await go(page, `#/p/${his}`);
  await page.locator('.single .comment').first().waitFor();
  await page.getByRole('button', { name: /More about the post/ }).click();
  await check('a menu');
  await page.keyboard.press('Escape');
  await dialog('who liked it', () => page.locator('.single .likes-who').click(), within('Likes').locator('.person').first());
  await dialog('a photo enlarged', () => page.getByRole('button', { name: 'Enlarge' }).click(), page.locator('.zoomer .is-shown'));
  await dialog('reporting', () => menu(/More about the post/, 'Report'));
  await page.getByRole('button', { name: `Reply to ${handle}` }).first().click();
  await check('an answer');
  await go(page, `#/@${handle}`);
  await page.locator('.tile').first().waitFor();
  await dialog('unfollowing', () => page.getByRole('button', { name: `Following ${handle}` }).click());
  await dialog('blocking', () => menu(`More about ${handle}`, 'Block'));
  await dialog('followers', () => go(page, `#/@${handle}/followers`), within('Followers'));
  await page.waitForFunction(() => !location.hash.endsWith('/followers')); // it was a place
  await go(page, '#/');
  await dialog('a story', () => page.getByRole('button', { name: new RegExp(`tory of ${handle}`) }).click(), page.locator('.story-photo .is-shown'));
  await page.getByRole('button', { name: 'Your story' }).click();
  await page.getByRole('button', { name: /^Seen by \d/ }).waitFor();
  await check('a story of mine');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: /^Seen by \d/ }).click();
  await page.getByRole('dialog', { name: 'Seen by' }).locator('.person').waitFor();
  await check('who saw it');
  for (const last of [1, 0]) {
    await page.keyboard.press('Escape');
    await page.locator('dialog').nth(last).waitFor({ state: 'detached' });
  }
  await dialog('sharing a story', async () => page.locator('#story-photo').setInputFiles(await chosen(smallPhoto())));
  await go(page, '#/moderation');
  await dialog('deciding', () => page.getByRole('button', { name: `Suspend ${handle}` }).first().click());
  await go(page, '#/settings');
  await dialog('ending', () => page.getByRole('button', { name: 'Delete account' }).click());

  const door = await windows.of(null);
  await door.locator('form').waitFor();
  windows.wrong.push(...(await misfits(door)).map((what) => `the door, ${what}`));
  await door.getByRole('button', { name: 'Create an account' }).click();
  windows.wrong.push(...(await misfits(door)).map((what) => `a new account, ${what}`));
  windows.fine();
});

test('what a photo leaves free of its frame has the colour of that photo', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const { id: photo } = await post(ada, { photos: [smallPhoto(), new File([large], 'large.png', { type: 'image/png' })] });
  const media = async () => (await ada.collection('posts').getOne(photo)).media;
  for (let n = 0; n < 400 && !(await media())?.[1]?.color; n++);
  const [first, second] = await media();
  assert.notEqual(first.color, second.color);
  const page = await windows.of('ada', { at: `#/p/${photo}` });
  await page.locator('.single .slide').nth(1).waitFor({ state: 'attached' });
  assert.deepEqual(await page.$$eval('.single .slide', (all) => all.map((one) => one.style.getPropertyValue('--tint'))), [first.color, second.color]);
  assert.equal(new Set(await page.$$eval('.single .slide', (all) => all.map((one) => getComputedStyle(one).backgroundColor))).size, 2);
  windows.fine();
});

/** A picture of 1600 × 1200 in one colour, as a PNG. */
const large = Buffer.from('iVBORw0KGgoAAAANSUhEUgAABkAAAASwAQMAAACZzxTUAAAAA1BMVEWqzN3suNNHAAABAElEQVR42u3BAQ0AAADCoPdPbQ8HFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/BuuXQABlqDdSgAAAABJRU5ErkJggg==', 'base64');
