// What holds of each screen for whoever hears the page: a title of its own, one first heading, the landmarks of every page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';

/** The title, the first headings and the landmarks that a page tells of. */
const outline = (page) => page.evaluate(() => {
  const told = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility() && !one.closest('dialog, [hidden]'));
  return { title: document.title, first: told('h1').map((one) => one.textContent.trim()), main: told('main').length, banner: told('header.bar').length, nav: told('nav[aria-label]').length };
});

test('each screen has a title, one first heading and the landmarks', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await (await windows.service.admin()).collection('users').update(id(ada), { role: 'moderator' });
  const { id: his } = await post(bob, { caption: '#sea' });
  const page = await windows.of('ada');
  const screens = {
    '#/': ['Doubletap', '.empty'], [`#/p/${his}`]: ['Post by bob · Doubletap', '.single .post'], '#/@bob': ['@bob · Doubletap', '.tile'], '#/@ada': ['@ada · Doubletap', '.empty'], '#/search': ['Search · Doubletap', '.tile'],
    '#/search/sea': ['Search: sea · Doubletap', '.tile'], '#/tags/sea': ['#sea · Doubletap', '.tile'], '#/saved': ['Saved · Doubletap', '.empty'], '#/requests': ['Follow requests · Doubletap', '.empty'],
    '#/settings': ['Settings · Doubletap', '.folds'], '#/moderation': ['Moderation · Doubletap', '.empty'], '#/nowhere': ['Nothing to see · Doubletap', '.empty'], '#/@nobody': ['@nobody · Doubletap', '.empty'], '#/p/nothing': ['Post · Doubletap', '.empty'],
  };
  for (const [place, [title, ready]] of Object.entries(screens)) {
    page.offline = /nobody|nothing/.test(place); // their 404 is meant
    await go(page, place);
    await page.locator(ready).filter({ visible: true }).first().waitFor();
    await page.waitForFunction((want) => document.title === want, title);
    const { first, ...rest } = await outline(page);
    assert.equal(first.length, 1, `${place} has the first headings ${first}`);
    assert.deepEqual(rest, { title, main: 1, banner: 1, nav: place === '#/moderation' || place === '#/search/sea' ? 2 : 1 }, place);
    await windows.accessible(page, place);
  }
  page.offline = false;
  windows.fine();
});
