// The feed in a browser: without an end, without doubles, and never moving under a reader.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';

test('a feed without an end shows every post once, and stays where it is read', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await bob.collection('follows').create({ followee: id(ada) });
  const made = [];
  for (let n = 0; n < 70; n++) made.push((await post(ada, { caption: `number ${n}` })).id);
  const page = await windows.of('bob');
  const shown = () => page.$$eval('.post:not(.skeleton)', (posts) => posts.map((one) => one.querySelector('.caption-text').textContent.replace(/^ada /, '')));
  await page.getByText('number 69').waitFor();
  assert.ok((await shown()).length <= 30, 'a page at a time');

  // somebody reads in the middle while ada goes on
  const reading = page.locator('.post').filter({ hasText: 'number 60' });
  await reading.scrollIntoViewIfNeeded();
  const top = async () => Math.round((await reading.boundingBox()).y);
  const before = await top();
  for (let n = 70; n < 73; n++) made.push((await post(ada, { caption: `number ${n}` })).id);
  await page.getByRole('button', { name: '3 new photos' }).waitFor();
  assert.equal(await top(), before, 'the page jumped');
  assert.equal((await shown())[0], 'number 69', 'new posts wait until they are asked for');

  // to the end of it
  while (!(await page.getByText('You are all caught up.').isVisible())) await page.mouse.wheel(0, 4000);
  const rest = await shown();
  assert.deepEqual(rest, Array.from({ length: 70 }, (_, n) => `number ${69 - n}`));
  await page.getByRole('button', { name: '3 new photos' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.post').length === 73 && scrollY === 0);
  assert.deepEqual((await shown()).slice(0, 4), ['number 72', 'number 71', 'number 70', 'number 69']);

  // a post that is deleted leaves; away and back, the reader finds the place
  await ada.collection('posts').delete(made[71]);
  await page.getByText('number 71').waitFor({ state: 'detached' });
  await page.locator('.post').filter({ hasText: 'number 50' }).scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => scrollY);
  await page.locator('.post').filter({ hasText: 'number 50' }).getByRole('link', { name: /comment/ }).click();
  await page.getByRole('region', { name: 'Comments' }).waitFor();
  await page.goBack();
  await page.waitForFunction((y) => Math.abs(scrollY - y) < 2, place);

  // the same for a grid, which begins anew when it is opened by a link
  await go(page, '#/@ada');
  await page.locator('.tile').nth(29).waitFor();
  while (!(await page.locator('.tile').nth(59).isVisible())) await page.mouse.wheel(0, 4000);
  const last = page.locator('.tile a').nth(50);
  await last.scrollIntoViewIfNeeded();
  const down = await page.evaluate(() => scrollY);
  await last.click();
  await page.getByRole('region', { name: 'Comments' }).waitFor();
  await page.goBack();
  await page.waitForFunction((y) => Math.abs(scrollY - y) < 2, down);
  assert.equal(await page.locator('.tile').count() >= 60, true);
  windows.fine();
});

test('a like takes two taps or one key, shows at once, and says when it is refused', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await bob.collection('follows').create({ followee: id(ada) });
  const first = await post(ada, { caption: 'first' });
  const second = await post(ada, { caption: 'second' });
  const page = await windows.of('bob', { viewport: { width: 390, height: 844 } });
  const article = (words) => page.getByRole('article').filter({ hasText: words });
  const liked = (words) => article(words).getByRole('button', { name: 'Like', pressed: true });
  const stored = async ({ id }, field, wanted) => {
    const is = async () => Boolean((await bob.collection('posts').getOne(id))[field]) === wanted;
    for (let n = 0; n < 2000; n++) if (await is()) return;
    assert.fail(`${field} is not ${wanted}`);
  };

  // two taps like and a further two do not unlike
  await article('second').locator('.frame').dblclick();
  await liked('second').waitFor();
  await article('second').locator('.frame').dblclick();
  await stored(second, 'liked', true);
  await liked('second').waitFor();
  assert.equal((await ada.collection('posts').getOne(second.id)).likesCount, 1);

  // keys: J to the next post, L likes and unlikes, S saves
  await article('second').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('l');
  await liked('first').waitFor();
  await page.keyboard.press('s');
  await article('first').getByRole('button', { name: 'Save', pressed: true }).waitFor();
  await stored(first, 'liked', true);
  await stored(first, 'saved', true);
  await page.keyboard.press('l');
  await stored(first, 'liked', false);

  // what is hidden from the feed does not come back
  await article('second').getByRole('button', { name: 'More about the post by ada' }).click();
  await page.getByRole('menuitem', { name: 'Hide from my feed' }).press('Enter');
  await page.getByText('Hidden. It will not come back.').waitFor();
  assert.equal(await article('second').count(), 0);
  assert.equal((await bob.collection('feed').getFullList()).length, 1);

  // a refusal: the heart fills before the answer, empties with it, and says why
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/collections/likes/records', async (route) => {
    await held;
    await route.continue();
  });
  page.offline = true; // the 400 that follows is meant
  await article('first').getByRole('button', { name: 'Like', exact: true }).click();
  await liked('first').waitFor();
  await article('first').getByText('1 like').waitFor();
  await (await windows.service.admin()).collection('posts').update(first.id, { visibility: 'private' });
  answer();
  await page.getByText('This photo cannot be liked any more.').waitFor();
  assert.equal(await liked('first').count(), 0);
  page.offline = false;
  windows.fine();
});
