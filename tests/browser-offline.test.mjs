// The web app without a connection or without its service: it opens, it shows, it keeps what is done, and sends it once.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { browse, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id } from './service.mjs';

/** Takes the line away from a whole window, and gives it back. */
async function offline(page, off) {
  if (off) page.offline = true;
  await page.context().setOffline(off);
  if (!off) page.offline = false;
}

const cached = (page) => page.evaluate(async () => {
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
  return (await caches.keys()).length;
});

test('what is done without a connection is sent once, even after the page was closed', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada, bob] = await windows.service.cast('ada', 'bob');
  await bob.collection('follows').create({ followee: id(ada) });
  const first = await post(ada, { caption: 'harbour' });
  const second = await post(ada, { caption: 'lighthouse' });
  const page = await windows.of('bob');
  await page.getByText('lighthouse').waitFor();
  await page.locator('img.is-shown').nth(1).waitFor();
  assert.equal(await cached(page), 1);
  await page.reload(); // from the service worker this time
  await page.getByText('lighthouse').waitFor();

  page.offline = true;
  await windows.service.kill();
  const article = (words) => page.getByRole('article').filter({ hasText: words });
  await article('harbour').getByRole('button', { name: 'Like', exact: true }).click();
  await article('harbour').getByText('waits for a connection').waitFor();
  await article('lighthouse').getByRole('button', { name: 'Like', exact: true }).click();
  await article('lighthouse').getByText('waits for a connection').waitFor();
  await article('lighthouse').getByRole('button', { name: 'Like', exact: true }).click(); // and thought better of it
  await article('lighthouse').getByRole('link', { name: 'comment', exact: false }).click();
  await page.getByLabel('Your comment').fill('from the train');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.comment').getByText('waits for a connection').waitFor();
  await page.getByText(/^The server does not answer\. [23] things of yours will be sent when it does\.$/).waitFor(); // what was taken back is one, if its like was on its way
  await windows.accessible(page, 'offline');

  // closed and opened again, still without a connection
  await page.goto('about:blank');
  await page.goto(`${windows.service.url}/`);
  await page.getByText('These are the photos of your last visit.').waitFor();
  await article('harbour').getByRole('button', { name: 'Like', pressed: true }).waitFor();
  await article('harbour').getByText('waits for a connection').waitFor();

  await windows.service.start();
  await article('harbour').getByText('waits for a connection').waitFor({ state: 'detached' });
  page.offline = false;
  await article('harbour').getByText('1 like').waitFor();
  await article('lighthouse').getByRole('link', { name: '1 comment', exact: true }).click();
  await page.locator('.comment').getByText('from the train').waitFor();
  await page.locator('.comment').getByText('waits for a connection').waitFor({ state: 'detached' });
  const now = await ada.collection('posts').getFullList({ sort: 'created' });
  assert.deepEqual(now.map((one) => [one.likesCount, one.commentsCount]), [[1, 0], [0, 1]]);
  assert.equal((await ada.collection('notifications').getFullList({ filter: 'type = "like" || type = "comment"' })).length, 2);
  windows.fine();
});

test('an answer that gets lost costs nothing: the comment is stored once', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada] = await windows.service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const page = await windows.of('bob', { at: `#/p/${photo}` });
  await page.getByText('Nobody has said anything yet.').waitFor();

  // the service stores the like and the comment, the page never hears of it
  const lost = { comments: 0, likes: 0 };
  await page.route(/\/api\/collections\/(comments|likes)\/records/, async (route) => {
    const kind = route.request().url().includes('/comments/') ? 'comments' : 'likes';
    if (route.request().method() !== 'POST' || lost[kind]++ > 0) return route.continue();
    await route.fetch();
    return route.abort('connectionreset');
  });
  const found = page.waitForResponse((answer) => answer.headers()['idempotent-replayed'] === 'true' && answer.url().includes('/comments/')); // by the second try
  page.offline = true; // the lost answers are errors to the browser
  await page.getByRole('button', { name: 'Like', exact: true }).click();
  await page.getByLabel('Your comment').fill('said once');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.comment').getByText('said once').waitFor();
  await page.getByText('waits for a connection').first().waitFor({ state: 'detached' });
  await page.locator('.waiting').first().waitFor({ state: 'detached' });
  assert.ok(lost.comments > 1 && lost.likes > 1, `sent ${lost.comments} and ${lost.likes} times`);
  await found;
  assert.equal((await ada.collection('comments').getFullList()).length, 1);
  assert.equal((await ada.collection('posts').getOne(photo)).likesCount, 1);
  windows.fine();
});

test('an answer that breaks off is none: nobody is signed out by it', { skip }, async (t) => {
  const windows = await browse(t);
  const breaking = createServer((_, answer) => {
    answer.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 500, 'Access-Control-Allow-Origin': '*' });
    answer.write('{"token":', () => answer.destroy());
  });
  await new Promise((ready) => breaking.listen(0, '127.0.0.1', ready));
  t.after(() => breaking.close());
  const page = await windows.of('ada');
  const refresh = '**/api/collections/users/auth-refresh';
  await page.route(refresh, (route) => route.continue({ url: `http://127.0.0.1:${breaking.address().port}/` }));
  page.offline = true; // the browser calls it an error
  const broken = page.waitForEvent('console', (said) => said.location().url.endsWith('/auth-refresh'));
  await page.reload();
  await broken;
  await page.unroute(refresh);
  await page.reload();
  page.offline = false;
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  windows.fine();
});

test('what is refused in the end is taken back and said', { skip }, async (t) => {
  const windows = await browse(t);
  const [ada] = await windows.service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const page = await windows.of('bob', { at: `#/p/${photo}` });
  await page.getByText('Nobody has said anything yet.').waitFor();
  await offline(page, true);
  await page.getByRole('button', { name: 'Like', exact: true }).click();
  await page.getByLabel('Your comment').fill('too late');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.comment').getByText('waits for a connection').waitFor();
  await ada.collection('posts').update(photo, { visibility: 'private' });
  await page.context().setOffline(false);
  await page.getByText('This photo cannot be liked any more.').waitFor();
  await page.getByText('This post is gone, or it is not shared with you.').waitFor();
  assert.equal((await ada.collection('posts').getOne(photo)).likesCount, 0);
  windows.fine();
});

test('the service worker shows what the server pushes, and the app can be installed', { skip }, async (t) => {
  const windows = await browse(t);
  const page = await windows.of();
  const context = page.context();
  await context.grantPermissions(['notifications'], { origin: windows.service.url });
  await page.reload();
  assert.equal(await cached(page), 1);
  const client = await context.newCDPSession(page);
  const registered = new Promise((resolve) => client.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations.length && resolve(registrations[0].registrationId)));
  await client.send('ServiceWorker.enable');
  const message = { title: 'bob liked your photo', body: 'the sea', url: '/#/p/abc', tag: 'like' };
  const push = { origin: windows.service.url, registrationId: await registered, data: JSON.stringify(message) };
  let shown = null;
  for (let n = 0; n < 200 && !shown; n++) { // a worker that is just being replaced hears nothing
    await client.send('ServiceWorker.deliverPushMessage', push);
    shown = await page.evaluate(async () => {
      const [one] = await (await navigator.serviceWorker.ready).getNotifications();
      return one && { title: one.title, body: one.body, tag: one.tag, url: one.data.url };
    });
  }
  assert.deepEqual(shown, message);

  // a tap on it leads the window that is open to the post in the app, also by the address of its page for everybody
  page.offline = true; // there are no such posts
  for (const [url, hash] of [['/#/p/abc', '#/p/abc'], ['https://photos.example/p/def', '#/p/def'], ['/', '']]) {
    const tap = async (wanted) => {
      const [one] = (await registration.getNotifications()).filter((each) => each.data.url === wanted);
      if (!one) return false;
      const event = new NotificationEvent('notificationclick', { notification: one });
      let work = null;
      event.waitUntil = (promise) => (work = promise); // what a script has made may not keep the worker awake
      dispatchEvent(event);
      await work;
      return true;
    };
    const worker = context.serviceWorkers().at(-1);
    let tapped = false;
    for (let n = 0; n < 1000 && !tapped; n++) {
      if (n % 200 === 0) await client.send('ServiceWorker.deliverPushMessage', { ...push, data: JSON.stringify({ ...message, url }) });
      tapped = await worker.evaluate(tap, url);
    }
    assert.ok(tapped, url);
    await page.waitForFunction((to) => location.hash === to || location.hash === '#' + to, hash);
    assert.equal(page.url().split('#')[0], `${windows.service.url}/`);
  }
  assert.equal(await page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length), 0, 'a tapped one is closed');
  const { errors, data } = await client.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  assert.equal(JSON.parse(data).start_url, '/');
  windows.fine();
});
