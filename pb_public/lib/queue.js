// What people reported, for moderators.

/** @import { Client } from './shapes' */
/** @import { Routes } from './types' */

/**
 * A cursor over the reports of a state ("open", "upheld" or "dismissed"), to be used as one of cursor.js. A row is
 * one thing that was reported, with its context; the addresses of its photos work for five minutes.
 * @param {Client} pb
 */
export function openQueue(pb, state = 'open') {
  let cursor = /** @type {string | undefined} */ (undefined); // none yet; the server's last word is an empty one
  return {
    get done() {
      return cursor === '';
    },
    async next() {
      const page = await pb.send('/api/v1/moderation/queue', { query: { state, ...(cursor && { cursor }) }, requestKey: null });
      cursor = page.cursor;
      return page.items;
    },
  };
}

/**
 * Decides about a report: dismiss, hide, unhide, suspend or unsuspend. The note is for other moderators.
 * @param {Client} pb
 * @param {string} report
 * @param {Routes['POST /api/v1/moderation/{report}']['body']['action']} action
 */
export function decide(pb, report, action, note = '') {
  return pb.send(`/api/v1/moderation/${report}`, { method: 'POST', body: { action, note }, requestKey: null });
}
