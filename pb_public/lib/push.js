// Messages to this device while the page is closed. Ask only after a tap: a browser
// remembers a "no" for good.

/** Whether this browser could show them at all. */
export const pushable = () => 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

/** The subscription of this device, or null. */
export async function subscription() {
  const worker = await navigator.serviceWorker?.getRegistration();
  return (await worker?.pushManager?.getSubscription()) ?? null;
}

/** Asks the person, subscribes this device and tells the server; answers the stored device. */
export async function subscribe(pb) {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('Your browser does not allow messages from this page.');
  const { vapidKey } = await pb.send('/api/v1/config', { requestKey: null });
  if (!vapidKey) throw new Error('This server sends no push messages.');
  const worker = await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: vapidKey });
  const { endpoint, keys } = made.toJSON();
  return pb.collection('devices').create({ kind: 'webpush', endpoint, keys, name: deviceName() }, { requestKey: null });
}

function deviceName() {
  const browser = /Firefox|Edg|OPR|Chrome|Safari/.exec(navigator.userAgent)?.[0] ?? 'Browser';
  const system = /Android|iPhone|iPad|Windows|Mac|Linux/.exec(navigator.userAgent)?.[0];
  return [browser.replace('Edg', 'Edge').replace('OPR', 'Opera'), system].filter(Boolean).join(', ');
}
