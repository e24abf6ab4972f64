// Messages to this device while the page is closed. Ask only after a tap: a browser
// remembers a "no" for good. What the device agreed to lives on until somebody ends it: browsers
// and servers change addresses and keys, and nobody should have to notice.

/** @import { Client, KeptPush, SignedIn } from './shapes' */
import { openShelf } from './store.js';

const shelf = openShelf('device'); // push: {user, device, endpoint, name, token}, which sw.js reads as well
const quiet = { requestKey: null };

/** Whether this browser could show them at all. */
export const pushable = () => 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

/** The subscription of this device, or null. */
async function subscription() {
  const worker = await navigator.serviceWorker?.getRegistration();
  return (await worker?.pushManager?.getSubscription()) ?? null;
}

/** Asks the person, subscribes this device and tells the server; answers the stored device. */
export async function subscribe(/** @type {SignedIn} */ pb) {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('Your browser does not allow messages from this page.');
  return register(pb, await subscribeToServer(pb));
}

/**
 * Called at the start: subscribes again where the browser dropped the subscription or the server has another key, and tells
 * the server of another address. A device that was removed from afar, or that belongs to somebody else, ends its subscription.
 */
export async function renew(/** @type {SignedIn} */ pb) {
  const user = pb.authStore.record.id;
  const kept = await shelf.get('push').then((known) => (known?.user === user ? known : null));
  const found = await subscription();
  if (!kept && !found) return;
  // the server may spell an address in another way, so that a known device is asked for by its id
  const known = kept && kept.endpoint === found?.endpoint;
  const filter = known ? pb.filter('id = {:id}', { id: kept.device }) : pb.filter('endpoint = {:e}', { e: found?.endpoint ?? '' });
  const row = found && await pb.collection('devices').getList(1, 1, { filter, skipTotal: true, ...quiet }).then((page) => page.items[0]);
  if (found && !row && (!kept || known)) return void (await unsubscribe());
  const current = await subscribeToServer(pb);
  if (row && current.endpoint === found.endpoint) await remember(pb, { ...row, endpoint: current.endpoint });
  else await register(pb, current, kept?.device ?? row?.id);
}

/** The id of this device at the server, or ''. */
export async function deviceHere() {
  const [kept, found] = await Promise.all([shelf.get('push'), subscription()]);
  return kept && kept.endpoint === found?.endpoint ? kept.device : '';
}

/**
 * Ends the messages to this device. With pb the server hears of it; without, it knows, as when a session has ended there.
 * @param {Client} [pb]
 */
export async function unsubscribe(pb) {
  const [kept, found] = await Promise.all([shelf.get('push'), subscription()]);
  await shelf.clear(); // first: sw.js would use the token in it for who has left
  if (pb && kept) await pb.collection('devices').delete(kept.device, quiet).catch(() => {}); // unsubscribed below, its address is dead all the same
  await found?.unsubscribe();
}

/** The subscription under the server's present key; a browser refuses to make one while there is one under another. */
async function subscribeToServer(/** @type {Client} */ pb) {
  const { vapidKey } = await pb.send('/api/v1/config', quiet);
  if (!vapidKey) throw new Error('This server sends no push messages.');
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  if (old && keyOf(old) !== vapidKey) await old.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: vapidKey });
}

const keyOf = (/** @type {PushSubscription} */ { options }) => btoa(String.fromCharCode(...new Uint8Array(options?.applicationServerKey ?? []))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** Tells the server where this device is reached, and takes away the row of where it was. */
async function register(/** @type {SignedIn} */ pb, /** @type {PushSubscription} */ made, before = '') {
  const { endpoint = '', keys = {} } = made.toJSON();
  const devices = pb.collection('devices');
  const row = await devices.create({ kind: 'webpush', endpoint, keys, name: deviceName() }, quiet);
  await remember(pb, { ...row, endpoint });
  if (before && before !== row.id) await devices.delete(before, quiet).catch(() => {}); // gone already, or soon: nobody answers there
  return row;
}

const remember = (/** @type {SignedIn} */ pb, /** @type {Record<'id' | 'endpoint' | 'name', string>} */ { id, endpoint, name }) => shelf.put('push', { user: pb.authStore.record.id, device: id, endpoint, name, token: pb.authStore.token });

function deviceName() {
  const browser = /Firefox|Edg|OPR|Chrome|Safari/.exec(navigator.userAgent)?.[0] ?? 'Browser';
  const system = /Android|iPhone|iPad|Windows|Mac|Linux/.exec(navigator.userAgent)?.[0];
  return [browser.replace('Edg', 'Edge').replace('OPR', 'Opera'), system].filter(Boolean).join(', ');
}
