// Signing out: nothing of the person stays on the device, and no message to it comes any more.

import { pb, signOut } from '../lib/api.js';
import { unsubscribe } from '../lib/push.js';

export async function leave({ shelf, outbox }) {
  await unsubscribe(pb).catch(() => {}); // a browser that keeps nothing has nothing to end
  if (!outbox.size) await shelf.clear().catch(() => {}); // what waits to be sent stays for the next visit
  signOut();
}
