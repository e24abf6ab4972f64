// Without an account: what is public can be looked at in the app, and whoever wants to take part is invited, not turned away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';
import { inspectScreen } from './layout.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

const phone = { viewport: { width: 390, height: 844 } };

test('a guest looks at public profiles, posts and hashtags, and is invited to the rest', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob, dave] = await windows.service.cast('ada', 'bob', 'dave');
  await ada.collection('users').update(id(ada), { name: 'w'.repeat(255), bio: 'Mostly the #sea.' });
  const { id: open } = await post(ada, { photos: [smallPhoto(), smallPhoto()], caption: 'over the #sea with @bob', place: 'w'.repeat(120) });
  const { id: closed } = await post(ada, { caption: 'for friends', visibility: 'followers' });
  await bob.collection('comments').create({ post: open, text: 'so blue' });
  await bob.collection('likes').create({ post: open });
  await dave.collection('users').update(id(dave), { private: true });
  const page = await windows.of(null, { ...phone, at: '#/@ada' });
  const tile = page.getByRole('link', { name: /Post by ada/ });
  await tile.waitFor();
  assert.equal(await tile.count(), 1); // and not the one for her followers
  assert.equal(await page.title(), '@ada · Doubletap');
  await inspectScreen(windows, page, 'guest-profile');
  const invitation = page.getByRole('dialog', { name: 'Join to take part' });
  const declined = async () => {
    await invitation.getByRole('button', { name: 'Not now' }).click();
    await invitation.waitFor({ state: 'detached' });
  };
  await page.getByRole('button', { name: 'Follow ada' }).click();
  await inspectScreen(windows, page, 'guest-invitation');
  await declined();

  await tile.click();
  await page.getByText('so blue').waitFor();
  await inspectScreen(windows, page, 'guest-post');
  for (const action of ['Like', 'Save', 'Say something kind', 'Reply to bob', 'Like the comment by bob']) {
    await page.getByRole('button', { name: action, exact: true }).click();
    await declined();
  }
  await page.getByRole('button', { name: '1 like' }).click();
  await page.getByRole('dialog', { name: 'Likes' }).getByRole('link', { name: 'bob' }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: '#sea' }).click();
  await page.getByRole('heading', { name: '#sea' }).waitFor();
  await tile.waitFor();
  await inspectScreen(windows, page, 'guest-tag');

  // what is not for everybody is as good as not there
  page.offline = true; // a guest's 404
  await go(page, `#/p/${closed}`);
  await page.getByText('This post is gone, or it is not shared with you.').waitFor();
  page.offline = false;
  await go(page, '#/@dave');
  await page.getByText('This account is private').waitFor();

  // the way in is always there, and leads back to where one was
  await go(page, `#/p/${open}`);
  await page.getByRole('button', { name: 'Like', exact: true }).click();
  await invitation.getByRole('button', { name: 'Join or sign in' }).click();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await page.getByLabel('Handle or e-mail').fill('bob');
  await page.getByLabel('Password', { exact: true }).fill('correct-horse');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.locator('.single').getByRole('button', { name: 'Like', exact: true }).waitFor();
  assert.equal(new URL(page.url()).hash, `#/p/${open}`);
  assert.equal(await page.locator('.single .like').first().getAttribute('aria-pressed'), 'true'); // bob's own
  windows.fine();
});
