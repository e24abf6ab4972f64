// Signing out: nothing of the person stays on the device, and no message to it comes any more.

import { getTokenPayload } from '../vendor/pocketbase.js';
import { pb, signOut } from '../lib/api.js';
import { unsubscribe } from '../lib/push.js';

const networkTimeout = 3_000; // ms that a line which stands still may hold up who wants to leave

export async function leave({ shelf, outbox }) {
  const { token } = pb.authStore;
  const ended = unsubscribe(pb).catch(() => {}); // a browser that keeps nothing has nothing to end
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, networkTimeout))]);
  if (!outbox.size) await shelf.clear().catch(() => {}); // what waits to be sent stays for the next visit
  signOut(); // first: the end of the session ends its stream, which this window would take for somebody else's doing
  const session = getTokenPayload(token).dt_session; // tokens of before there were sessions have none
  if (session) fetch(`/api/v1/sessions/${session}`, { method: 'DELETE', headers: { Authorization: token }, keepalive: true }).catch(() => {});
}
