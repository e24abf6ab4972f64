// Signing out: nothing of the person stays on the device, and no message to it comes any more.

import { pb, signOut } from '../lib/api.js';
import { unsubscribe } from '../lib/push.js';

const networkTimeout = 3_000; // ms that a line which stands still may hold up who wants to leave

export async function leave({ shelf, outbox }) {
  const ended = unsubscribe(pb).catch(() => {}); // a browser that keeps nothing has nothing to end
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, networkTimeout))]);
  if (!outbox.size) await shelf.clear().catch(() => {}); // what waits to be sent stays for the next visit
  signOut();
}
