// Push outlives what browsers and servers do to it, and ends with the session. A browser in the tests reaches no push service, so
// that its subscriptions are made up; what is told the server, and when, is real.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browse, go, skip } from './browser.mjs';

/** A push service of this browser's own: one subscription for a device, kept over visits, with an address of its own each time. */
function subscriptions() {
  const bytes = (key) => Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0)).buffer;
  const made = ({ endpoint, key }) => ({
    endpoint, options: { applicationServerKey: bytes(key) },
    toJSON: () => ({ endpoint, keys: { p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg' } }),
    unsubscribe: async () => localStorage.removeItem('test-push') ?? true,
  });
  const stored = () => JSON.parse(localStorage.getItem('test-push'));
  Object.assign(PushManager.prototype, {
    getSubscription: async () => stored() && made(stored()),
    async subscribe({ applicationServerKey: key }) {
      if (!stored()) {
        const n = Number(localStorage.getItem('test-push-n') ?? 0) + 1;
        localStorage.setItem('test-push-n', n);
        localStorage.setItem('test-push', JSON.stringify({ endpoint: (localStorage.getItem('test-push-host') ?? 'https://push.example/') + n, key }));
      } else if (stored().key !== key) throw new DOMException('there is one under another key', 'InvalidStateError');
      return made(stored());
    },
  });
  Notification.requestPermission = async () => 'granted';
}

/** A window of ada's that push was allowed in, and what the server knows of her devices. */
async function pushed(windows) {
  const ada = await windows.service.as('ada');
  const devices = async () => (await ada.collection('devices').getFullList()).map(({ endpoint }) => endpoint);
  const page = await windows.of('ada', { at: '#/settings', permissions: ['notifications'] });
  await page.addInitScript(subscriptions);
  await page.reload();
  await page.getByRole('button', { name: 'Push to this device' }).click();
  await page.getByRole('region', { name: 'Devices' }).getByText('(this one)').waitFor();
  assert.deepEqual(await devices(), ['https://push.example/1']);
  return { ada, page, devices };
}

/** Loads the page anew and waits until what is renewed at the start is told. */
async function started(page, told) {
  await Promise.all([page.waitForResponse((answer) => told(answer.request())), page.reload()]);
}
const isCreate = (request) => request.method() === 'POST' && request.url().endsWith('/devices/records');
const until = async (holds) => { for (let n = 0; n < 400 && !(await holds()); n++); };

test('a subscription that the browser dropped, or whose key is old, is made anew at the start', { skip }, async (t) => {
  const windows = await browse(t);
  const { page, devices } = await pushed(windows);
  const there = async (n) => {
    await until(async () => String(await devices()) === `https://push.example/${n}`);
    assert.deepEqual(await devices(), [`https://push.example/${n}`]); // and the row of the address before is gone
  };
  await page.evaluate(() => localStorage.removeItem('test-push'));
  await started(page, isCreate);
  await there(2);

  await page.evaluate(() => localStorage.setItem('test-push', JSON.stringify({ ...JSON.parse(localStorage.getItem('test-push')), key: btoa('another key') })));
  await started(page, isCreate);
  await there(3);

  // the browser has moved it by itself
  await page.evaluate(() => localStorage.setItem('test-push', JSON.stringify({ ...JSON.parse(localStorage.getItem('test-push')), endpoint: 'https://push.example/4' })));
  await started(page, isCreate);
  await there(4);

  // nothing is told twice
  let asked = 0;
  page.on('request', (request) => { asked += isCreate(request); });
  await started(page, (request) => request.url().endsWith('/api/v1/config'));
  await page.getByRole('region', { name: 'Devices' }).getByText('(this one)').waitFor();
  assert.equal(asked, 0);
  await there(4);
  windows.fine();
});

test('an address that the server spells in another way is no other address', { skip }, async (t) => {
  const windows = await browse(t);
  const ada = await windows.service.as('ada');
  const devices = async () => (await ada.collection('devices').getFullList()).map(({ endpoint }) => endpoint);
  const page = await windows.of('ada', { at: '#/settings', permissions: ['notifications'] });
  await page.evaluate(() => localStorage.setItem('test-push-host', 'https://PUSH.example:443/./'));
  await page.addInitScript(subscriptions);
  await page.reload();
  await page.getByRole('button', { name: 'Push to this device' }).click();
  await page.getByRole('region', { name: 'Devices' }).getByText('(this one)').waitFor();
  assert.deepEqual(await devices(), ['https://push.example/1']);
  let asked = 0;
  page.on('request', (request) => { asked += isCreate(request); });
  for (let n = 0; n < 2; n++) {
    await started(page, (request) => request.url().endsWith('/api/v1/config'));
    await page.getByRole('region', { name: 'Devices' }).getByText('(this one)').waitFor();
  }
  assert.equal(asked, 0);
  assert.deepEqual(await devices(), ['https://push.example/1']);
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.waitForFunction(() => localStorage.getItem('test-push') === null);
  assert.deepEqual(await devices(), []);
  windows.fine();
});

test('a session that ended while no window was open ends the messages at the next start', { skip }, async (t) => {
  const windows = await browse(t);
  const { page } = await pushed(windows);
  await page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem('pocketbase_auth'));
    kept.token = `${btoa('{"alg":"HS256","typ":"JWT"}')}.${btoa('{"exp":1,"type":"auth"}')}.over`;
    localStorage.setItem('pocketbase_auth', JSON.stringify(kept));
  });
  await page.reload();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await page.waitForFunction(() => localStorage.getItem('test-push') === null);
  windows.fine();
});

test('a device that was removed from afar stays removed', { skip }, async (t) => {
  const windows = await browse(t);
  const { ada, page, devices } = await pushed(windows);
  const [row] = await ada.collection('devices').getFullList();
  await ada.collection('devices').delete(row.id);
  await page.reload();
  await page.waitForFunction(() => localStorage.getItem('test-push') === null);
  assert.deepEqual(await devices(), []);
  windows.fine();
});

test('a device whose address changes tells the server while no window does', { skip }, async (t) => {
  const windows = await browse(t);
  const { page, devices } = await pushed(windows);
  await page.evaluate(() => navigator.serviceWorker.ready);
  const worker = page.context().serviceWorkers().at(-1) ?? await page.context().waitForEvent('serviceworker');
  await worker.evaluate(async () => {
    let work = null;
    const keys = { p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
    // what a script has made may not keep the worker awake
    dispatchEvent(Object.assign(new Event('pushsubscriptionchange'), { newSubscription: { toJSON: () => ({ endpoint: 'https://push.example/moved', keys }) }, waitUntil: (promise) => { work = promise; } }));
    await work;
  });
  assert.deepEqual(await devices(), ['https://push.example/moved']);
  windows.fine();
});

test('signing out ends push to the device, by each way out', { skip }, async (t) => {
  const windows = await browse(t);
  const { ada, page, devices } = await pushed(windows);
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await ada.collection('users').authWithPassword('ada', 'correct-horse'); // the window's session was this client's, too
  assert.deepEqual(await devices(), []);
  assert.equal(await page.evaluate(() => localStorage.getItem('test-push')), null);

  // signed out from afar: the browser lets go of it, too
  const signIn = async () => {
    await page.getByLabel('Handle or e-mail').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill('correct-horse');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Push to this device' }).click();
    await page.getByRole('region', { name: 'Devices' }).getByText('(this one)').waitFor();
  };
  await signIn();
  assert.equal((await devices()).length, 1);
  page.offline = true; // its stream ends
  await ada.send('/api/v1/logout-everywhere', { method: 'POST' });
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await page.waitForFunction(() => localStorage.getItem('test-push') === null);
  assert.equal(await page.evaluate(() => new Promise((done) => {
    indexedDB.open('doubletap').onsuccess = ({ target }) => { target.result.transaction('shelf').objectStore('shelf').get('device/push').onsuccess = ({ target: found }) => done(found.result); };
  })), undefined);
  windows.fine();
});
