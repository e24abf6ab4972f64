// Stories: on top of the feed, looked at one after the other, gone after a day.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, skip } from './browser.mjs';
import { inspectScreen } from './layout.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

const phone = { viewport: { width: 390, height: 844 } };
const story = (pb, fields = {}) => pb.collection('stories').create({ photo: smallPhoto(), ...fields });
const until = async (holds) => { for (let n = 0; n < 400 && !(await holds()); n++); };

test('stories of whom one follows, unseen first; looking at one tells its author', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, carol, dave, eve] = await windows.service.cast('ada', 'bob', 'carol', 'dave', 'eve');
  const admin = await windows.service.admin();
  await admin.collection('users').update(id(carol), { handle: 'w'.repeat(30), name: 'w'.repeat(255) });
  for (const pb of [bob, carol, eve]) await ada.collection('follows').create({ followee: id(pb) });
  await post(bob, { caption: 'a lighthouse' });
  const first = await story(bob);
  const second = await story(bob, { visibility: 'followers' });
  await story(carol);
  await story(dave); // whom she does not follow
  await story(eve);
  await ada.collection('mutes').create({ muted: id(eve) });
  const page = await windows.of('ada', phone);
  const tray = page.getByRole('list', { name: 'Stories' });
  const names = () => tray.getByRole('button').evaluateAll((all) => all.map((one) => [...one.querySelectorAll('.visually-hidden, .story-name')].map((part) => part.textContent).join('')));
  await tray.getByRole('button', { name: 'New story of bob' }).waitFor();
  assert.deepEqual(await names(), ['Add a story', `New story of ${'w'.repeat(30)}`, 'New story of bob']);
  await inspectScreen(windows, page, 'stories-tray');

  await tray.getByRole('button', { name: /tory of bob/ }).click();
  const viewer = page.getByRole('dialog', { name: 'Story of bob' });
  const shows = (n) => viewer.getByText(`${n} of 2`).waitFor({ state: 'attached' });
  await shows(1);
  await viewer.getByRole('img', { name: 'Story of bob' }).waitFor();
  const seen = async () => (await bob.collection('story_views').getFullList({ sort: 'created' })).map((view) => view.story);
  await until(async () => (await seen()).length === 1);
  assert.deepEqual(await seen(), [first.id]);
  await page.keyboard.press('ArrowRight');
  await shows(2);
  await until(async () => (await seen()).length === 2);
  assert.deepEqual(await seen(), [first.id, second.id]);
  await page.keyboard.press('ArrowLeft');
  await shows(1);
  await viewer.getByRole('button', { name: 'Next story' }).click();
  await inspectScreen(windows, page, 'story');
  await viewer.getByRole('button', { name: 'Next story' }).click(); // that was the last one
  await viewer.waitFor({ state: 'detached' });
  assert.deepEqual(await names(), ['Add a story', `New story of ${'w'.repeat(30)}`, 'Story of bob']);

  // one after the other, from author to author; Back closes; the name leads to the person
  await tray.getByRole('button', { name: /tory of w/ }).click();
  await page.getByRole('dialog', { name: /Story of w/ }).getByRole('img').waitFor();
  await inspectScreen(windows, page, 'story-hostile');
  await page.keyboard.press('ArrowRight');
  await viewer.waitFor();
  await page.goBack();
  await viewer.waitFor({ state: 'detached' });
  await page.reload();
  await tray.getByRole('button', { name: 'Story of bob', exact: true }).click();
  await viewer.getByRole('link', { name: 'bob' }).click();
  await page.getByRole('heading', { name: 'bob' }).waitFor();
  assert.equal((await bob.collection('story_views').getFullList()).length, 2); // each told once
  windows.fine();
});

test('a story goes on by itself, waits while it is paused, and not at all where motion is not wanted', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await ada.collection('follows').create({ followee: id(bob) });
  await story(bob);
  await story(bob);
  const page = await windows.of('ada', { ...phone, reducedMotion: 'no-preference' });
  await page.getByRole('button', { name: /tory of bob/ }).click();
  const viewer = page.getByRole('dialog', { name: 'Story of bob' });
  const bar = viewer.locator('.is-now');
  const runs = (state) => page.waitForFunction((want) => { const now = document.querySelector('.is-now'); return now && getComputedStyle(now).animationPlayState === want; }, state);
  await runs('running');
  await viewer.getByRole('button', { name: 'Pause' }).click();
  await runs('paused');
  await viewer.getByRole('button', { name: 'Pause' }).click();
  await runs('running');
  const box = await viewer.locator('.story-photo').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down(); // a finger on it holds it
  await runs('paused');
  await page.mouse.move(box.x + box.width / 2, 5);
  await page.mouse.up();
  await runs('running');
  const pass = () => bar.evaluate((now) => now.getAnimations()[0].finish()); // as its five seconds do
  await pass();
  await viewer.getByText('2 of 2').waitFor({ state: 'attached' });
  await runs('running');
  await pass();
  await viewer.waitFor({ state: 'detached' });

  const still = await windows.of('ada', phone);
  await still.getByRole('button', { name: /tory of bob/ }).click();
  await still.getByRole('img', { name: 'Story of bob' }).waitFor();
  assert.equal(await still.locator('.is-now').count(), 0);
  assert.equal(await still.getByRole('button', { name: 'Pause' }).count(), 0);
  windows.fine();
});

test('my own story: shared, who saw it, taken back', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  const page = await windows.of('ada', phone);
  await page.locator('#story-photo').setInputFiles({ name: 'a.txt.png', mimeType: 'image/png', buffer: Buffer.from('not a photo') });
  const share = page.getByRole('dialog', { name: 'Share a story' });
  page.offline = true; // the 400 is meant
  await share.getByRole('button', { name: 'Share' }).click();
  await share.getByText('This is not a photo we can read.').waitFor();
  page.offline = false;
  await page.keyboard.press('Escape');
  await share.waitFor({ state: 'detached' });
  await page.locator('#story-photo').setInputFiles(await chosen(smallPhoto()));
  await share.getByLabel('Who can see it').selectOption('followers');
  await inspectScreen(windows, page, 'story-share');
  await share.getByRole('button', { name: 'Share' }).click();
  await page.getByText('Your story is there for a day.').waitFor();
  const [made] = await ada.collection('stories').getFullList();
  assert.equal(made.visibility, 'followers');

  await bob.collection('follows').create({ followee: id(ada) });
  await bob.collection('story_views').create({ story: made.id });
  await page.getByRole('button', { name: 'Your story' }).click();
  const viewer = page.getByRole('dialog', { name: 'Your story' });
  await viewer.getByRole('button', { name: 'Seen by 1 person' }).click();
  await page.getByRole('dialog', { name: 'Seen by' }).getByRole('link', { name: 'bob' }).waitFor();
  await inspectScreen(windows, page, 'story-seen');
  await page.goBack();
  await inspectScreen(windows, page, 'story-own');
  await viewer.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog', { name: 'Delete this story?' }).getByRole('button', { name: 'Delete story' }).click();
  await viewer.waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('button', { name: 'Your story' }).count(), 0);
  assert.equal((await ada.collection('stories').getFullList()).length, 0);
  windows.fine();
});

test('a story that is over goes without being asked for, also while it is looked at', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await ada.collection('follows').create({ followee: id(bob) });
  await story(bob);
  const page = await windows.of('ada', phone);
  await page.clock.install();
  await page.reload();
  const his = page.getByRole('button', { name: /tory of bob/ });
  await his.click();
  await page.getByRole('img', { name: 'Story of bob' }).waitFor();
  page.offline = true; // a day later its connection is gone
  await page.clock.fastForward('24:00:10');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await his.count(), 0);
  windows.fine();
});
