// Short messages: one at a time, over nothing that one can press, for four seconds or until it is put away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';

/** What lies under the message and could be pressed. */
const covered = (page) => page.evaluate(() => {
  const word = document.querySelector('.word');
  const box = word.getBoundingClientRect();
  return [...document.querySelectorAll('a, button, input, textarea, select, summary, label')].filter((one) => {
    const at = one.getBoundingClientRect();
    return !word.contains(one) && one.checkVisibility() && !one.closest('.skip') && at.width > 1 && at.left < box.right && at.right > box.left && at.top < box.bottom && at.bottom > box.top && at.top < innerHeight;
  }).map((one) => one.outerHTML.slice(0, 90));
});

test('one message at a time, each group as one, over no control', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada, { caption: 'first' });
  const { id: other } = await post(ada, { caption: 'second' });
  const crowd = await service.crowd(4);
  const page = await windows.of('ada', { at: '#/search', viewport: { width: 390, height: 844 } });
  await page.getByRole('heading', { name: 'New photos' }).waitFor();
  await page.evaluate(() => {
    globalThis.most = 0;
    globalThis.told = [];
    new MutationObserver(() => {
      const all = [...document.querySelectorAll('.word')].map((one) => one.textContent);
      globalThis.most = Math.max(globalThis.most, all.length);
      if (all[0] && globalThis.told.at(-1) !== all[0]) globalThis.told.push(all[0]);
    }).observe(document.querySelector('.words'), { childList: true, subtree: true, characterData: true });
  });
  const word = page.locator('.word');

  // likes of one photo are one message that grows; a comment waits for its turn
  await page.clock.install();
  await crowd[0].collection('likes').create({ post: photo });
  await word.getByText('guest0 liked your photo.').waitFor();
  assert.deepEqual(await covered(page), []);
  await page.clock.pauseAt(Date.now() + 60_000);
  await crowd[1].collection('likes').create({ post: photo });
  await word.getByText('guest1 and guest0 liked your photo.').waitFor();
  await bob.collection('comments').create({ post: other, text: 'later' });
  await page.getByRole('button', { name: '2 Notifications' }).waitFor();
  await page.clock.runFor(3900);
  await word.getByText('guest1 and guest0 liked your photo.').waitFor();
  await page.clock.runFor(200);
  await word.getByText('bob commented on your photo.').waitFor();
  await windows.narrow(page, 'a message');
  await page.clock.resume();

  // it can be put away, and what answers an action goes before news
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await word.waitFor({ state: 'detached' });
  await go(page, '#/@bob');
  await page.getByRole('button', { name: 'More about bob' }).click();
  await page.getByRole('menuitem', { name: 'Mute' }).click();
  await word.getByText('bob is muted, and does not know.').waitFor();
  assert.deepEqual(await covered(page), []);
  await page.getByRole('button', { name: 'More about bob' }).click();
  await page.getByRole('menuitem', { name: 'Unmute' }).click();
  await word.getByText('bob is no longer muted.').waitFor();
  assert.equal(await page.evaluate(() => globalThis.most), 1);
  await windows.accessible(page, 'a message');
  await page.getByRole('button', { name: 'Dismiss' }).click();

  // none for what one looks at: the page of the post, the tray
  await page.evaluate(() => (globalThis.told = []));
  await go(page, `#/p/${other}`);
  await page.getByText('later').waitFor();
  await crowd[2].collection('comments').create({ post: other, text: 'seen as it comes' });
  await page.locator('.comment').getByText('seen as it comes').waitFor();
  await crowd[2].collection('likes').create({ post: other });
  await page.locator('.single').getByText('1 like', { exact: true }).waitFor();
  await page.getByRole('button', { name: /Notifications/ }).click();
  await page.getByRole('dialog', { name: 'Notifications' }).waitFor();
  await crowd[3].collection('follows').create({ followee: id(ada) });
  await page.getByRole('dialog').getByRole('button', { name: /guest3 started following you/ }).waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.told), []);
  windows.fine();
});
