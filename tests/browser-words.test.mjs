// The names in what people write lead to the same place however they are spelled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { post } from './photo.mjs';

test('hashtags lead to one page in every spelling, and one character is found', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada] = await windows.service.cast('ada', 'bob');
  const spellings = ['#Fußball', '#FUSSBALL', '#fuẞball'.normalize('NFD')];
  const posts = [];
  for (const spelling of spellings) posts.push(await post(ada, { caption: `look ${spelling}, 東京` }));
  await post(ada, { caption: '#スター・ウォーズ and #İstanbul' });
  const page = await windows.of('bob', { at: `#/p/${posts[1].id}` });

  await page.getByRole('link', { name: '#FUSSBALL', exact: true }).click();
  await page.getByRole('heading', { name: '#Fußball', exact: true }).waitFor(); // as it was written first
  await page.locator('.tile a').nth(2).waitFor();
  await page.getByText('3 posts').waitFor();
  await go(page, '#/@ada');
  for (const [at, name] of [[`#/tags/${encodeURIComponent('ｆｕSSball')}`, '#Fußball'], [`#/tags/${encodeURIComponent('ıstanbul')}`, '#İstanbul'], [`#/tags/${encodeURIComponent('ｽﾀｰ･ｳｫｰｽﾞ')}`, '#スター・ウォーズ']]) {
    await go(page, at);
    await page.getByRole('heading', { name, exact: true }).waitFor();
    await page.locator('.tile a').first().waitFor();
  }

  await go(page, `#/search/${encodeURIComponent('京')}`);
  await page.locator('.tile a').nth(2).waitFor();
  assert.equal(await page.locator('.tile a').count(), 3);
  await go(page, `#/search/${encodeURIComponent('istanbul')}/tags`);
  await page.getByRole('link', { name: 'İstanbul' }).waitFor();
});
