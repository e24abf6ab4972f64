// The web app in two windows: what one person does, the other sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, skip } from './browser.mjs';
import { phonePhoto, post } from './photo.mjs';
import { id } from './service.mjs';

async function signUp(page, handle) {
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Handle').fill(handle);
  await page.getByLabel('E-mail').fill(`${handle}@example.com`);
  await page.getByLabel('Password', { exact: true }).fill('correct-horse');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: 'Notifications' }).waitFor();
}

test('a like in one window is a notification in the other', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = [await windows.of(), await windows.of()];
  await windows.accessible(ada, 'the door');
  await signUp(ada, 'ada');
  await signUp(bob, 'bob');
  await windows.accessible(ada, 'an empty feed');

  await ada.getByRole('navigation').getByRole('button', { name: 'Post a photo' }).click();
  await ada.locator('input#photos').setInputFiles(await chosen(await phonePhoto()));
  await ada.getByLabel('Description').fill('The sea under a blue sky');
  await ada.getByLabel('Caption').fill('the sea');
  await windows.accessible(ada, 'a new post');
  await ada.getByRole('button', { name: 'Post', exact: true }).click();
  await ada.getByRole('article', { name: 'Post by ada' }).waitFor();
  await ada.getByRole('img', { name: 'The sea under a blue sky' }).waitFor();

  await bob.getByRole('link', { name: 'Search', exact: true }).click();
  await bob.getByLabel('Search people').fill('@ad');
  await bob.getByRole('button', { name: 'Follow ada' }).click();
  await bob.getByRole('button', { name: 'Following ada' }).waitFor();
  await windows.accessible(bob, 'suggestions');
  await bob.getByRole('link', { name: 'Home', exact: true }).click();
  const seen = bob.getByRole('article', { name: 'Post by ada' });
  await seen.getByText('the sea').waitFor();
  await ada.getByRole('button', { name: '1 Notifications' }).waitFor(); // the follow

  await seen.getByRole('button', { name: 'Like', exact: true }).click();
  await ada.getByRole('button', { name: '2 Notifications' }).waitFor();
  await ada.getByRole('article', { name: 'Post by ada' }).getByText('1 like').waitFor();
  await windows.accessible(ada, 'the feed');
  await ada.getByRole('button', { name: 'Notifications' }).click();
  const tray = ada.getByRole('dialog', { name: 'Notifications' });
  const like = tray.getByRole('button', { name: /bob liked your photo/ });
  await like.waitFor();
  await windows.accessible(ada, 'the tray');

  await seen.getByRole('button', { name: 'Like', exact: true }).click();
  await like.waitFor({ state: 'detached' });
  await ada.keyboard.press('Escape');
  await ada.getByRole('button', { name: 'Notifications', exact: true }).waitFor();
  windows.fine();
});

test('what is said under a post is there for everybody who looks at it', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [adaSDK] = await service.cast('ada', 'bob', 'carol');
  const { id: photo } = await post(adaSDK, { caption: 'say something @bob #seaside' });
  const [ada, bob] = await Promise.all([windows.of('ada', { at: `#/p/${photo}` }), windows.of('bob', { at: `#/p/${photo}`, viewport: { width: 390, height: 844 } })]);
  for (const page of [ada, bob]) await page.getByText('Nobody has said anything yet.').waitFor();

  // bob names ada, helped by suggestions and by the keyboard alone
  await bob.getByLabel('Your comment').pressSequentially('so blue, @ad');
  await bob.getByRole('option', { name: /ada/ }).waitFor();
  await windows.accessible(bob, 'suggested names');
  await bob.keyboard.press('Enter');
  assert.equal(await bob.getByLabel('Your comment').inputValue(), 'so blue, @ada ');
  await bob.keyboard.press('Enter');

  // ada sees it come, answers and likes it
  await ada.getByText('so blue,').waitFor();
  await ada.getByRole('button', { name: 'Like the comment by bob' }).click();
  await ada.getByRole('button', { name: 'Reply to bob' }).click();
  await ada.getByLabel('Your comment').pressSequentially('like your eyes');
  await ada.getByRole('button', { name: 'Send' }).click();
  await bob.getByRole('button', { name: 'View the reply' }).click();
  await bob.getByText('like your eyes').waitFor();
  await bob.getByText('1 like', { exact: true }).waitFor();
  await windows.accessible(bob, 'comments');

  // carol's likes and comment move the counters without anybody asking
  const carol = await service.as('carol');
  await carol.collection('likes').create({ post: photo });
  const said = await carol.collection('comments').create({ post: photo, text: 'hello from the SDK' });
  await Promise.all([ada, bob].map((page) => page.getByText('hello from the SDK').waitFor()));
  await bob.locator('.post').getByText('1 like').waitFor();

  // a notification leads to the words it tells of
  await ada.getByRole('button', { name: /Notifications/ }).click();
  await ada.getByRole('dialog').getByRole('button', { name: /commented on your photo.*hello from the SDK/ }).click();
  await ada.locator('.comment.is-marked').getByText('hello from the SDK').waitFor();

  // deleted with answers it leaves a tombstone, without it is gone, in the other window too
  await carol.collection('comments').delete(said.id);
  await ada.getByText('hello from the SDK').waitFor({ state: 'detached' });
  await bob.getByRole('button', { name: 'More about the comment by bob' }).click();
  await bob.getByRole('menuitem', { name: 'Delete' }).click();
  await windows.accessible(bob, 'a question');
  await bob.getByRole('button', { name: 'Delete comment' }).click();
  await bob.getByText('This comment was deleted.').waitFor();
  assert.equal((await adaSDK.collection('posts').getOne(photo)).commentsCount, 2, 'the tombstone and the answer');

  // a hashtag in the caption leads to its posts
  await bob.getByRole('link', { name: '#seaside' }).click();
  await bob.getByRole('heading', { name: '#seaside' }).waitFor();
  await bob.getByRole('link', { name: /Post by ada/ }).waitFor();
  await windows.accessible(bob, 'a hashtag');
  windows.fine();
});

test('many likes are one line of the tray, and a comment is told at once', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const ada = await service.as('ada');
  const { id: photo } = await post(ada);
  const crowd = await service.crowd(13);
  for (const pb of crowd) await pb.collection('likes').create({ post: photo });
  await crowd[0].collection('follows').create({ followee: id(ada) });

  const [page, second] = await Promise.all([windows.of('ada'), windows.of('ada', { viewport: { width: 390, height: 844 } })]);
  await page.getByRole('button', { name: '2 Notifications' }).waitFor();
  await page.getByRole('button', { name: '2 Notifications' }).click();
  const tray = page.getByRole('dialog', { name: 'Notifications' });
  await tray.getByRole('button', { name: /guest12 and 12 others liked your photo.*unread/ }).waitFor();
  await second.getByRole('button', { name: 'Notifications', exact: true }).waitFor(); // seen here is seen there

  await tray.getByRole('button', { name: 'Mark all read' }).click();
  await tray.getByRole('button', { name: /unread/ }).first().waitFor({ state: 'detached' });
  await second.getByRole('button', { name: 'Notifications' }).click();
  await windows.accessible(second, 'the tray on a phone');
  assert.equal(await second.getByRole('button', { name: /unread/ }).count(), 0);

  await tray.getByRole('button', { name: /guest0 started following you/ }).click();
  await page.getByRole('heading', { name: 'guest0' }).waitFor();
  await crowd[1].collection('comments').create({ post: photo, text: 'at once' });
  await page.getByRole('status').getByText('guest1 commented on your photo.').waitFor();
  windows.fine();
});
