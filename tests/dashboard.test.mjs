// The four pages that we add to PocketBase's dashboard, in a real browser, for a superuser, by day and by night, wide and narrow.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { browse, skip } from './browser.mjs';
import { phonePhoto } from './photo.mjs';
import { id } from './service.mjs';
import { listen } from './stream.mjs';

const hostile = `<img src=x onerror=alert(1)> \u202Egnol ${'x'.repeat(500)} \u{1F4F7}`;

/** A page of the dashboard for a superuser, who signs in as everybody does. */
async function dashboard(w, name) {
  const page = await w.of('', { at: '_/' });
  page.on('dialog', (dialog) => w.wrong.push(`says ${dialog.message()}`));
  await page.getByLabel('Email').fill('admin@example.com');
  await page.getByLabel('Password', { exact: true }).fill('correct-horse');
  await page.getByRole('button', { name: 'Login' }).click();
  await page.getByRole('link', { name }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
  return page;
}

/** Nothing in our part of the page is a barrier, nor wider than the window. */
async function examine(w, page, name, part = '.dt-page') {
  for (const width of [390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await w.accessible(page, `${name} at ${width}`, { include: [part], exclude: ['.page-footer'] });
    const over = await page.evaluate(() => document.querySelector('.page-content').scrollWidth - document.querySelector('.page-content').clientWidth);
    if (over > 0) w.wrong.push(`${name} at ${width}: ${over} pixels wider than the page`);
  }
}

test('Insights shows what people did, and how the service does', { skip }, async (t) => {
  const w = await browse(t);
  const [ada, bob] = await w.service.cast('ada', 'bob');
  const tray = await listen(ada, 'notifications/*');
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()] });
  await bob.collection('likes').create({ post: post.id });
  await tray.next(({ record }) => record.type === 'like');
  await bob.collection('reports').create({ post: post.id, reason: 'spam' });

  const page = await dashboard(w, 'Insights');
  const likes = page.getByRole('img', { name: 'Likes: 1 in 30 days, 1 today' });
  await likes.locator('canvas').waitFor();
  const drawn = () => likes.locator('canvas').evaluate((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((byte) => byte));
  assert.ok(await drawn(), 'the chart is empty');
  await page.getByRole('img', { name: 'Active people: 2 today' }).waitFor();
  for (const [card, shows] of [
    ['Like to answer', /^[\d.]+ ms$/], ['Notification to device', /^[\d.]+ ms$/], ['Jobs that gave up', /^0$/], ['Open reports', /^1$/], ['Connected', /^1$/],
  ]) assert.match(await page.getByRole('group', { name: card }).locator('.dt-value').innerText(), shows, card);
  await page.getByText('There are no webhooks.').waitFor();
  await examine(w, page, 'insights');
  assert.ok(await drawn(), 'the chart is empty by night'); // drawn anew, in other colours
  await page.getByRole('combobox', { name: 'Period' }).selectOption('7');
  await page.getByRole('img', { name: 'Likes: 1 in 7 days, 1 today' }).waitFor();
  w.fine();
});

test('a superuser hides, dismisses and suspends, and each leaves its trace', { skip }, async (t) => {
  const w = await browse(t);
  const [ada, bob, carol] = await w.service.cast('ada', 'bob', 'carol');
  const admin = await w.service.admin();
  const page = await dashboard(w, 'Moderation');
  await page.getByText('Nothing is waiting here.').waitFor();
  await examine(w, page, 'an empty queue');

  await ada.collection('users').update(id(ada), { name: hostile.slice(0, 60), bio: hostile.slice(0, 200) });
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()], caption: `the sea ${hostile}`, alts: [`a sea "><script>alert(1)</script>`] });
  const comment = await bob.collection('comments').create({ post: post.id, text: `nasty words ${hostile}` });
  await carol.collection('reports').create({ post: post.id, reason: 'spam', note: hostile });
  await bob.collection('reports').create({ post: post.id, reason: 'nudity' });
  await carol.collection('reports').create({ comment: comment.id, reason: 'harassment' });
  await carol.collection('reports').create({ user: id(bob), reason: 'spam' });

  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByText('2 reports').waitFor();
  const photo = page.getByRole('img', { name: 'a sea "><script>' }).first();
  await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await photo.elementHandle());
  await page.getByText('nasty words <img').waitFor(); // as words
  await examine(w, page, 'moderation');

  await page.getByRole('button', { name: 'Hide the comment' }).click();
  await page.getByLabel('Note for other moderators').fill('rude');
  await examine(w, page, 'a decision', '.modal-content .dt-stack');
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByText('nasty words').waitFor({ state: 'detached' });
  await assert.rejects(carol.collection('comments').getOne(comment.id), { status: 404 });
  assert.equal((await bob.collection('comments').getOne(comment.id)).id, comment.id); // his own

  await page.getByRole('button', { name: 'Hide the post' }).click();
  await page.getByRole('button', { name: 'Leave it' }).click();
  assert.equal((await bob.collection('posts').getOne(post.id)).id, post.id);
  await page.getByRole('button', { name: 'Hide the post' }).click();
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByText('2 reports').waitFor({ state: 'detached' });
  await assert.rejects(bob.collection('posts').getOne(post.id), { status: 404 });

  await page.getByRole('button', { name: 'Dismiss' }).click(); // the last, about bob
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByText('Nothing is waiting here.').waitFor();
  await bob.collection('users').authRefresh();

  await page.getByRole('combobox', { name: 'Reports' }).selectOption('upheld');
  await page.getByRole('button', { name: 'Suspend @ada' }).click();
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByRole('button', { name: 'Restore @ada' }).waitFor();
  await assert.rejects(ada.collection('users').authRefresh(), { status: 401 }); // her token is dead
  await assert.rejects(bob.collection('users').getOne(id(ada)), { status: 404 });
  const about = page.getByRole('article').filter({ hasText: '2 reports' });
  await about.getByText('2 decisions so far').click();
  await about.getByText('suspend by').waitFor();
  await page.getByRole('button', { name: 'Restore @ada' }).click();
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByRole('button', { name: 'Show the post again' }).click();
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByRole('button', { name: 'Show the post again' }).waitFor({ state: 'detached' });
  await bob.collection('posts').getOne(post.id);

  const trace = await admin.collection('audit').getFullList({ sort: 'created' });
  assert.deepEqual(trace.map((row) => [row.action, row.target, row.actor]), [
    ['hide', `comments/${comment.id}`], ['hide', `posts/${post.id}`], ['dismiss', trace[2].target], ['suspend', `users/${id(ada)}`],
    ['unsuspend', `users/${id(ada)}`], ['unhide', `posts/${post.id}`],
  ].map(([action, target]) => [action, target, `_superusers/${id(admin)}`]));
  assert.equal(trace[0].after.note, 'rude');
  w.fine();
});

test('what gave up is tried again, and an event goes out once more', { skip }, async (t) => {
  const heard = [];
  const receiver = createServer((request, response) => {
    heard.push(request.headers['webhook-id']);
    request.resume().on('end', () => response.end());
  });
  await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
  t.after(() => receiver.close());
  const w = await browse(t, { DOUBLETAP_LOOPBACK: 'on' });
  const [ada, bob] = await w.service.cast('ada', 'bob');
  const admin = await w.service.admin();
  const page = await dashboard(w, 'Jobs');
  await page.getByText('Nothing has given up.').waitFor();
  await page.getByText('There are no webhooks;').waitFor();
  await examine(w, page, 'no jobs');

  const url = `http://127.0.0.1:${receiver.address().port}/`;
  await admin.collection('webhooks').create({ url, events: ['like.created'] });
  const dead = { kind: 'notification.purge', state: 'dead', payload: {}, attempts: 10, error: `no luck ${hostile}`, runAt: '2026-01-01 00:00:00.000Z' };
  const job = await admin.collection('jobs').create(dead);
  await admin.collection('jobs').create({ ...dead, kind: 'nobody.knows', error: 'out of memory' });
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()] });
  await bob.collection('likes').create({ post: post.id });

  await page.getByRole('button', { name: 'Refresh' }).click();
  const row = page.getByRole('row').filter({ hasText: 'no luck' });
  await page.getByRole('combobox', { name: 'To' }).selectOption(url);
  const delivery = page.getByRole('row').filter({ hasText: 'like.created' });
  while (!await delivery.getByText('delivered').isVisible()) { // by a job, soon
    await page.getByRole('button', { name: 'Refresh' }).click();
    await delivery.waitFor();
  }
  await examine(w, page, 'jobs');
  await row.getByRole('button', { name: 'Retry' }).click();
  await row.waitFor({ state: 'detached' });
  while (await admin.collection('jobs').getOne(job.id).catch(() => null)); // until it is done
  await page.getByRole('row').filter({ hasText: 'out of memory' }).getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  await page.getByText('Nothing has given up.').waitFor();

  assert.equal(heard.length, 1);
  await delivery.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('It goes out again.').waitFor();
  while (heard.length < 2) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(heard[1], heard[0]);
  w.fine();
});

test('Why says who sees what, and which clause decides', { skip }, async (t) => {
  const w = await browse(t);
  const [ada, bob] = await w.service.cast('ada', 'bob', 'carol');
  const post = await ada.collection('posts').create({ photos: [await phonePhoto()] });
  await ada.collection('blocks').create({ blocked: id(bob) });
  const page = await dashboard(w, 'Why');
  await page.getByText('Name a record, and who looks at it.').waitFor();
  await examine(w, page, 'nothing asked');
  const look = async (viewer, record) => {
    await page.getByLabel('Viewer').fill(viewer);
    await page.getByLabel('Record').fill(record);
    await page.getByRole('button', { name: 'Look' }).click();
  };
  const decide = () => page.locator('.dt-clauses li.dt-decides:has(.label.info) > .dt-row code').allInnerTexts();

  await look('bob', post.id);
  await page.getByText('@bob does not see it.').waitFor();
  await page.getByRole('row', { name: 'the account blocks the viewer yes' }).waitFor();
  assert.deepEqual(await decide(), ['author = @request.auth.id', 'sees(@request.auth.id, author, visibility) = true']);
  await examine(w, page, 'why');
  await page.reload(); // the address is the question
  await page.getByText('@bob does not see it.').waitFor();
  await look('@carol', post.id);
  await page.getByText('@carol sees it.').waitFor();
  await look('', post.id);
  await page.getByText('A guest sees it.').waitFor();

  page.offline = true; // a refusal is an error to the console
  await look('nobody', post.id);
  await page.getByText('There is nobody of this id or handle.').waitFor();
  await page.getByRole('alert').waitFor();
  page.offline = false;
  await look('carol', post.id);
  await page.getByText('@carol sees it.').waitFor();
  assert.equal(await page.getByText('There is nobody of this id or handle.').count(), 0);
  w.fine();
});

test('a page says that the service does not answer, and asks again', { skip }, async (t) => {
  const w = await browse(t);
  const page = await dashboard(w, 'Why');
  let answer;
  const waits = new Promise((go) => { answer = go; });
  for (const [name, part] of [['Insights', 'admin/insights'], ['Moderation', 'moderation/queue'], ['Jobs', 'admin/jobs']]) {
    const pattern = `**/api/v1/${part}*`;
    page.offline = true;
    await page.route(pattern, (route) => route.abort());
    await page.getByRole('link', { name }).click();
    await page.getByRole('alert').getByText('The service does not answer.').waitFor();
    await examine(w, page, `${name} without an answer`);
    await page.unroute(pattern);
    page.offline = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  }
  await page.route('**/api/v1/admin/insights*', async (route) => {
    await waits;
    await route.continue();
  });
  await page.getByRole('link', { name: 'Insights' }).click();
  await page.getByRole('status', { name: 'Loading' }).waitFor();
  answer();
  await page.getByRole('group', { name: 'Connected' }).waitFor();
  w.fine();
});

test('the page of the API works without anything else', { skip }, async (t) => {
  const w = await browse(t);
  const page = await w.of('', { at: 'docs/api' });
  await page.getByText('/api/v1/moderation/queue', { exact: true }).click();
  await page.getByText('For moderators and superusers.').first().waitFor();
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await w.accessible(page, `the page of the API at ${width}`);
  }
  w.fine();
});
