// What a person types is never lost: not by what arrives, not by a refusal, not by leaving; and Back closes what lies on top.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, chosen, go, skip } from './browser.mjs';
import { post, smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

const fields = 'input:not([type=checkbox], [type=radio], [type=file], [type=range], [type=time], [readonly]), textarea';

/** The fields of what lies on top. */
async function fieldsOf(page) {
  const top = page.getByRole('dialog');
  return (await top.count() ? top.last() : page).locator(fields).filter({ visible: true });
}

/** Writes into every field that can be seen, and answers what then stands in each. */
async function fillAll(page) {
  const seen = await fieldsOf(page);
  const filled = {};
  for (let n = 0; n < await seen.count(); n++) {
    const field = seen.nth(n);
    await field.fill(`typed ${n}`);
    filled[await field.evaluate((el) => el.id || el.name)] = await field.inputValue();
  }
  return filled;
}
const valuesOf = async (page) => (await fieldsOf(page)).evaluateAll((all) => Object.fromEntries(all.map((el) => [el.id || el.name, el.value])));

test('no field that is being filled is overwritten by what arrives', { skip }, async (t) => {
  const windows = await browse(t);
  const { service } = windows;
  const [ada, bob] = await service.cast('ada', 'bob');
  const admin = await service.admin();
  await admin.collection('users').update(id(ada), { role: 'moderator' });
  const { id: photo } = await post(ada, { photos: [smallPhoto(), smallPhoto()], caption: 'mine' });
  const { id: his } = await post(bob, { caption: 'his' });
  await bob.collection('comments').create({ post: his, text: 'here' });
  await ada.collection('settings').update((await ada.collection('settings').getFirstListItem('')).id, { quietFrom: '22:00', quietTo: '07:00' });
  await bob.collection('reports').create({ user: id(await service.as('mallory')), reason: 'spam' });
  const page = await windows.of('ada', { serviceWorkers: 'block' });
  let n = 0;
  /** Somebody follows, likes and writes; another device of hers changes the profile and the post; her session is renewed. */
  async function disturb() {
    const pb = await service.as(`visitor${n++}`);
    const told = await page.locator('.nav-bell').getAttribute('aria-label');
    await pb.collection('follows').create({ followee: id(ada) });
    await pb.collection('likes').create({ post: (await post(ada)).id }); // news of its own
    await pb.collection('comments').create({ post: his, text: 'and here' });
    await ada.collection('posts').update(photo, { place: `place ${n}` });
    await ada.collection('users').update(id(ada), { bio: `from elsewhere ${n}`, handle: 'ada' });
    await page.waitForFunction((was) => document.querySelector('.nav-bell').getAttribute('aria-label') !== was, told);
    await page.evaluate(() => import('/lib/api.js').then(({ pb: client }) => client.collection('users').authRefresh({ requestKey: null })));
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }
  async function stays(where, least) {
    const filled = await fillAll(page);
    assert.ok(Object.keys(filled).length >= least, `${where}: ${Object.keys(filled)}`);
    await disturb();
    assert.deepEqual(await valuesOf(page), filled, where);
  }
  const menu = async (label, action) => {
    await page.getByRole('button', { name: label }).first().click();
    await page.getByRole('menuitem', { name: action }).click();
    await page.getByRole('dialog').waitFor();
  };
  const leave = async () => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };

  await go(page, '#/settings');
  await page.locator('.folds').waitFor();
  await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
  await stays('settings', 5);
  for (const time of ['#quiet-from', '#quiet-to']) {
    await page.locator(time).focus();
    await page.keyboard.press('Backspace'); // half a time of day
    await disturb();
    assert.equal(await page.locator(time).inputValue(), '');
    await page.keyboard.type('11');
    await page.waitForFunction((which) => /^(11|23):/.test(document.querySelector(which).value), time);
  }
  await page.getByRole('button', { name: 'Delete account' }).click();
  await page.getByRole('dialog').waitFor();
  await stays('ending the account', 1);
  await leave();
  await go(page, `#/p/${photo}`);
  await page.getByLabel('Your comment').waitFor();
  await stays('a comment', 1);
  await menu('More about the post by ada', 'Edit');
  await stays('editing', 3);
  await leave();
  await go(page, `#/p/${his}`);
  await page.locator('.single .comment').first().waitFor();
  await menu('More about the post by bob', 'Report');
  await stays('reporting', 1);
  await leave();
  await go(page, '#/moderation');
  await page.getByRole('button', { name: 'Suspend mallory' }).click();
  await page.getByRole('dialog').waitFor();
  await stays('deciding', 1);
  await leave();
  await go(page, '#/search');
  await page.getByLabel('Search people').waitFor();
  await stays('searching', 1);
  await page.getByRole('button', { name: 'Post a photo' }).first().click();
  await page.locator('input#photos').setInputFiles([await chosen(smallPhoto()), await chosen(smallPhoto())]);
  await page.getByLabel('Description of photo 1').waitFor();
  await stays('posting', 2);
  windows.fine();
});

test('a handle that is refused stays as it was typed, with the reason', { skip }, async (t) => {
  const windows = await browse(t);
  await windows.service.cast('ada', 'bob');
  const page = await windows.of('ada', { at: '#/settings' });
  const handle = page.getByLabel('Handle');
  for (const [typed, reason] of [['bob', 'This handle is taken.'], ['a b', /letters a–z/], ['admin', /cannot be taken/]]) {
    await handle.fill(typed);
    page.offline = true; // the 400 is meant
    await page.getByRole('button', { name: 'Save profile' }).click();
    await page.locator('#my-handle-problem').getByText(reason).waitFor();
    page.offline = false;
    assert.equal(await handle.inputValue(), typed);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'my-handle');
  }
  windows.fine();
});

test('what was begun is found again after leaving and after the page was closed', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  const { id: his } = await post(bob, { caption: 'his' });
  const { id: mine } = await post(ada, { caption: 'as it was' });
  const page = await windows.of('ada', { serviceWorkers: 'block' });
  const compose = async () => {
    await page.getByRole('button', { name: 'Post a photo' }).first().click();
    await page.getByRole('dialog', { name: 'Post a photo' }).waitFor();
  };
  const leave = async () => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.waitForFunction(() => !history.state?.over); // its entry is left a moment later; a place gone to meanwhile would be left, too
  };

  // a post: its photos in their order, with words and shape
  await compose();
  await page.locator('input#photos').setInputFiles([await chosen(smallPhoto()), await chosen(smallPhoto())]);
  await page.getByLabel('Description of photo 1').fill('a dot');
  await page.getByRole('button', { name: 'Move later' }).click();
  await page.getByRole('button', { name: 'Square' }).click();
  await page.getByLabel('Caption').fill('half a thought');
  await page.getByLabel('Who can see it').selectOption('followers');
  await leave();
  await page.getByText('Your draft is kept.').waitFor();
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await compose();
    await page.getByRole('button', { name: 'Photo 2 of 2', exact: true }).click();
    assert.equal(await page.getByLabel('Description of photo 2').inputValue(), 'a dot');
    assert.equal(await page.getByRole('button', { name: 'Square' }).getAttribute('aria-pressed'), 'true');
    assert.equal(await page.getByLabel('Caption').inputValue(), 'half a thought');
    assert.equal(await page.getByLabel('Who can see it').inputValue(), 'followers');
    await windows.accessible(page, 'a draft');
    await leave();
  }
  await compose();
  await page.getByRole('button', { name: 'Discard this draft' }).click();
  await page.getByRole('button', { name: 'Discard', exact: true }).click();
  await page.getByRole('button', { name: 'Photo 1 of 2' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Caption').inputValue(), '');
  await leave();

  // half a comment, half an answer, half a change, half a report, half a profile
  await go(page, `#/p/${his}`);
  await page.getByLabel('Your comment').fill('half a sen');
  await page.getByRole('button', { name: 'More about the post by bob' }).click();
  await page.getByRole('menuitem', { name: 'Report' }).click();
  await page.getByLabel('Anything else').fill('half a complaint');
  await leave();
  await go(page, `#/p/${mine}`);
  await page.waitForFunction(() => document.querySelector('#say')?.value === '');
  const edit = async () => {
    await page.getByRole('button', { name: 'More about the post by ada' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
  };
  await edit();
  await page.getByLabel('Caption').fill('as it will be');
  await leave();
  await go(page, '#/settings');
  await page.getByLabel('About you').fill('half a life');
  await go(page, '#/');
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await go(page, '#/settings');
    await page.waitForFunction(() => document.querySelector('#my-bio')?.value === 'half a life');
    await go(page, `#/p/${mine}`);
    await edit();
    await page.waitForFunction(() => document.querySelector('#edit-caption')?.value === 'as it will be');
    await leave();
    await go(page, `#/p/${his}`);
    await page.waitForFunction(() => document.querySelector('#say')?.value === 'half a sen');
    await page.getByRole('button', { name: 'More about the post by bob' }).click();
    await page.getByRole('menuitem', { name: 'Report' }).click();
    await page.waitForFunction(() => document.querySelector('#note')?.value === 'half a complaint');
    await leave();
  }

  // what was sent is no draft any more; signing out takes all of it from the device
  await page.getByLabel('Your comment').fill('a sentence');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.comment').getByText('a sentence').waitFor();
  assert.equal(await page.getByLabel('Your comment').inputValue(), '');
  await go(page, `#/p/${mine}`);
  await edit();
  await page.getByRole('button', { name: 'Undo my changes' }).click();
  assert.equal(await page.getByLabel('Caption').inputValue(), 'as it was');
  await leave();
  await go(page, '#/settings');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  const left = await page.evaluate(() => new Promise((done) => {
    indexedDB.open('doubletap').onsuccess = ({ target }) => {
      target.result.transaction('shelf').objectStore('shelf').getAllKeys().onsuccess = (keys) => done(keys.target.result);
    };
  }));
  assert.deepEqual(left, []);
  windows.fine();
});

test('Back closes what lies on top, and leads to where one was', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await ada.collection('follows').create({ followee: id(bob) });
  const { id: mine } = await post(ada);
  await post(bob);
  await bob.collection('likes').create({ post: mine });
  const page = await windows.of('ada', { viewport: { width: 390, height: 844 } });
  await go(page, '#/@bob');
  await page.getByRole('heading', { name: 'bob', exact: true }).waitFor();
  const at = () => page.evaluate(() => location.hash);
  const gone = () => page.getByRole('dialog').waitFor({ state: 'detached' });
  const menu = async (action) => {
    await page.getByRole('button', { name: 'More about bob' }).click();
    await page.getByRole('menuitem', { name: action }).click();
  };
  for (const [name, open] of Object.entries({
    Notifications: () => page.getByRole('button', { name: /Notifications/ }).click(),
    'Post a photo': () => page.getByRole('button', { name: 'Post a photo' }).click(),
    'Block bob?': () => menu('Block'),
    'Report bob': () => menu('Report'),
    Followers: () => page.getByRole('link', { name: 'follower' }).click(),
  })) {
    for (const leave of [() => page.goBack(), () => page.keyboard.press('Escape'), () => page.getByRole('button', { name: 'Close' }).click()]) {
      await open();
      await page.getByRole('dialog', { name }).waitFor();
      await leave();
      await gone();
      await page.waitForFunction(() => !history.state?.over && location.hash === '#/@bob');
    }
  }
  // one on top of another: each Back closes one
  await page.getByRole('button', { name: 'Post a photo' }).click();
  await page.getByLabel('Caption').fill('words');
  await page.getByRole('button', { name: 'Discard this draft' }).click();
  await page.getByRole('dialog', { name: 'Discard this draft?' }).waitFor();
  await page.goBack();
  await page.getByRole('dialog', { name: 'Discard this draft?' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Caption').inputValue(), 'words');
  await page.goForward(); // leads to nothing that is there
  await page.waitForFunction(() => history.state.over === 1);
  await page.goBack();
  await gone();

  // from the tray to a post, and back to where the tray was opened
  await page.getByRole('button', { name: /Notifications/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: /bob liked/ }).click();
  await page.locator('.single').waitFor();
  assert.equal(await at(), `#/p/${mine}`);
  await page.goBack();
  await page.getByRole('heading', { name: 'bob', exact: true }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.goBack();
  await page.locator('.main-feed .post').first().waitFor();

  // loaded anew with a dialog open: it is closed, and Back is not spent on it
  await go(page, '#/@bob');
  await page.getByRole('heading', { name: 'bob', exact: true }).waitFor();
  await page.getByRole('button', { name: /Notifications/ }).click();
  await page.getByRole('dialog').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'bob', exact: true }).waitFor();
  await page.waitForFunction(() => !history.state?.over);
  await page.goBack();
  await page.locator('.main-feed .post').first().waitFor();
  windows.fine();
});
