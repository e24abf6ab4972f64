// What people without the app see in a browser, and how a link leads from there to the app and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, skip } from './browser.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

const policy = /^default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/;

test('a shared page is for everybody, keeps to itself, and leads into the app', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [ada, bob] = await service.cast('ada', 'bob');
  await ada.collection('users').update(id(ada), { avatar: smallPhoto(), bio: 'Mostly the sea.' });
  const { id: open } = await post(ada, { caption: 'over the #sea with @bob', alts: ['A bay at dusk'], place: 'Cape Town' });
  const { id: closed } = await post(ada, { caption: 'for friends', visibility: 'followers' });
  await bob.collection('follows').create({ followee: id(ada) });

  const guest = await windows.of(null, { viewport: { width: 390, height: 844 } });
  for (const [path, words] of [[`/p/${open}`, 'over the'], ['/@ada', 'Mostly the sea.'], ['/tags/sea', '#sea'], [`/p/${closed}`, 'Nothing to see here']]) {
    guest.offline = words === 'Nothing to see here'; // its 404 is meant
    const answer = await guest.goto(service.url + path);
    await guest.getByText(words).first().waitFor();
    guest.offline = false;
    assert.match(answer.headers()['content-security-policy'], policy);
    await windows.accessible(guest, path);
    await guest.setViewportSize({ width: 1280, height: 900 });
    await windows.accessible(guest, `${path}, wide`);
    await guest.setViewportSize({ width: 390, height: 844 });
  }
  assert.match((await guest.goto(`${service.url}/`)).headers()['content-security-policy'], policy);

  // bob shares: the page that he hands on leads back into the app, to what he may see
  const page = await windows.of('bob', { at: `#/p/${open}`, permissions: ['clipboard-read', 'clipboard-write'] });
  const copied = async (url) => {
    await page.getByText('The link is copied.').last().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), url);
  };
  await page.getByRole('button', { name: 'Share' }).click();
  await copied(`${service.url}/p/${open}`);
  await page.goto(`${service.url}/p/${open}`);
  await page.getByRole('link', { name: 'Like or comment in the app' }).click();
  await page.getByRole('button', { name: 'Like', exact: true }).waitFor();
  page.offline = true; // a guest's 404
  await page.goto(`${service.url}/p/${closed}`);
  page.offline = false;
  await page.getByRole('link', { name: 'Open the app' }).click();
  await page.locator('.single').getByText('for friends').waitFor();
  assert.equal(await page.locator('.single').getByRole('button', { name: 'Share' }).count(), 0, 'only what everybody may see is handed on');
  await page.goto(`${service.url}/#/@ada`);
  await page.getByRole('button', { name: 'More about ada' }).click();
  await page.getByRole('menuitem', { name: 'Share' }).click();
  await copied(`${service.url}/@ada`);
  windows.fine();
});

test('the description of the API is a page that is tried with one\'s own token', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  await service.cast('ada');
  const page = await windows.of('ada', { viewport: { width: 390, height: 844 } });
  const answer = await page.goto(`${service.url}/docs/api`);
  assert.match(answer.headers()['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self'; /);
  const open = async (path, method) => {
    const found = page.locator('details').filter({ has: page.locator('summary').filter({ hasText: method }).getByText(path, { exact: true }) }).first();
    await found.locator('summary').click();
    return found;
  };
  const settings = await open('/api/collections/settings/records', 'GET');
  await settings.getByRole('button', { name: 'GET it' }).click();
  await settings.getByText('"totalItems": 1').waitFor(); // a guest sees none
  const likes = await open('/api/collections/likes/records', 'POST');
  await likes.getByText('"post": "POST_ID"').waitFor();
  await windows.accessible(page, 'the API, open');
  await page.setViewportSize({ width: 1280, height: 900 });
  await windows.accessible(page, 'the API, wide');
  page.offline = true; // there is no such post
  await likes.getByRole('button', { name: 'POST it' }).click();
  await likes.getByText('400 Bad Request').waitFor();
  page.offline = false;
  const nowhere = await windows.of(null, { viewport: { width: 390, height: 844 } });
  nowhere.offline = true;
  await nowhere.goto(`${service.url}/nope`);
  await nowhere.getByText('Nothing to see here').waitFor();
  assert.equal(await nowhere.getByRole('link', { name: 'Open the app' }).getAttribute('href'), '/');
  await windows.accessible(nowhere, 'nothing there');
  await nowhere.goto(`${service.url}/unsubscribe?t=broken`);
  await nowhere.getByText('This link does not work').waitFor();
  await windows.accessible(nowhere, 'a broken link');
  windows.fine();
});

test('a moderator decides in the app about what was reported, and those concerned hear of it', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [ada, bob, carol, mallory] = await service.cast('ada', 'bob', 'carol', 'mallory');
  const admin = await service.admin();
  await admin.collection('users').update(id(carol), { role: 'moderator' });
  await ada.collection('users').update(id(ada), { avatar: smallPhoto() });
  const { id: photo } = await post(ada, { caption: 'reported <b>words</b> #sea', place: 'x'.repeat(120) });
  const { id: hers } = await post(bob, { caption: 'under dispute' });
  const said = await mallory.collection('comments').create({ post: hers, text: 'buy my things' });
  await bob.collection('reports').create({ post: photo, reason: 'spam', note: '<img src=x onerror=alert(1)> ' + 'n'.repeat(1900) });
  await mallory.collection('reports').create({ post: photo, reason: 'hate' });
  await bob.collection('reports').create({ comment: said.id, reason: 'spam' });
  await bob.collection('reports').create({ user: id(mallory), reason: 'abuse' });

  // for others there is no such screen
  const other = await windows.of('bob', { at: '#/moderation' });
  await other.getByText('There is no page at').waitFor();
  assert.equal(await other.getByRole('link', { name: 'Moderation' }).count(), 0);

  const page = await windows.of('carol', { viewport: { width: 390, height: 844 } });
  await page.getByRole('link', { name: /My profile/ }).click();
  await page.getByRole('link', { name: 'Moderation' }).last().click();
  const first = page.getByRole('article', { name: 'Post of ada, 2 reports' });
  await first.getByText('reported <b>words</b>').waitFor();
  await first.getByText('It is spam').waitFor();
  await first.locator('.case-photos img').evaluate((img) => img.decode());
  await windows.accessible(page, 'moderation');

  // hiding it tells ada and those who reported it
  const [hersPage, his] = await Promise.all([windows.of('ada'), windows.of('bob')]);
  await first.getByRole('button', { name: 'Hide the post' }).click();
  await page.getByLabel('Note for other moderators').fill('seen before');
  await windows.accessible(page, 'a decision');
  await page.getByRole('dialog').getByRole('button', { name: 'Hide the post' }).click();
  await first.waitFor({ state: 'detached' });
  assert.equal((await ada.collection('posts').getOne(photo)).hidden, true);
  await hersPage.getByRole('status').getByText('Your post was hidden by a moderator.').waitFor();
  await his.getByRole('status').getByText('Thank you: a moderator agreed with your report.').waitFor();
  await hersPage.goto(`${service.url}/#/p/${photo}`);
  await hersPage.reload();
  await hersPage.locator('.single').getByText('Hidden by a moderator').waitFor();

  // a comment is nothing to act on, an account is suspended: it is signed out at once
  const comment = page.getByRole('article', { name: 'Comment of mallory, 1 report' });
  await comment.getByText('buy my things').waitFor();
  await comment.getByText('under dispute').waitFor();
  await comment.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Dismiss' }).click();
  await comment.waitFor({ state: 'detached' });
  const theirs = await windows.of('mallory');
  theirs.offline = true; // what a dead session may not do is refused
  await page.getByRole('button', { name: 'Suspend mallory' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend mallory' }).click();
  await page.getByText('Nothing waits').waitFor();
  await windows.accessible(page, 'an empty queue');
  await theirs.getByText('Your session has ended.').waitFor();

  // what was decided can be looked at, and taken back
  await page.getByRole('link', { name: 'Upheld' }).click();
  await page.getByText('Earlier decisions').first().click();
  await page.getByRole('button', { name: 'Lift the suspension of mallory' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Lift the suspension' }).click();
  await page.getByRole('button', { name: 'Suspend mallory' }).first().waitFor();
  await page.getByRole('article', { name: /Post of ada/ }).getByRole('button', { name: 'Show the post again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Show the post again' }).click();
  await page.getByRole('article', { name: /Post of ada/ }).getByRole('button', { name: 'Hide the post' }).waitFor();
  assert.equal((await ada.collection('posts').getOne(photo)).hidden, false);
  assert.equal((await admin.collection('users').getOne(id(mallory))).state, 'active');
  await windows.accessible(page, 'what was upheld');
  windows.fine();
});
