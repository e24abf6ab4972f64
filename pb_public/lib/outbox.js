// What was said and done without a connection: kept on the device, sent when there
// is one, and stored once however often it is sent.

import { createOnce, removeEdge, unreachable } from './once.js';

/**
 * Opens the outbox of the signed-in person.
 *
 *   const outbox = openOutbox(pb, shelf);
 *   await outbox.open();
 *   outbox.keep({ key: 'likes/' + post, collection: 'likes', ends: { post }, wanted: true });
 *   outbox.keep({ key: 'comments/' + id, collection: 'comments', body: { id, post, text } });
 *   outbox.listen(key, ({ row, err }) => …);   // it arrived, or was refused for good
 *   outbox.flush();                             // the network is back
 *
 * An edge (a like, a save) is kept as what is wanted in the end, so liking and
 * unliking on a train is one request. A comment brings its id along. Both may
 * therefore be sent again when an answer is lost. A refusal ends an entry and is
 * told; a server that cannot be reached leaves it waiting.
 */
export function openOutbox(pb, shelf, { onChange = () => {} } = {}) {
  const entries = new Map(); // by key, oldest first
  const listeners = new Map(); // by key
  let flushing = null;
  let timer = 0;
  let wait = 2000;
  let closed = false;
  let opening;
  const opened = new Promise((done) => (opening = done));

  async function deliver(entry) {
    if (!entry.ends) return createOnce(pb, entry.collection, entry.body, { expand: entry.expand });
    if (entry.wanted) return pb.collection(entry.collection).create(entry.ends, { requestKey: null });
    return removeEdge(pb, entry.collection, entry.ends);
  }

  async function forget(entry) {
    if (entries.get(entry.key) !== entry) return false; // wanted otherwise meanwhile
    entries.delete(entry.key);
    await shelf.drop('outbox/' + entry.key);
    return true;
  }

  async function sendAll() {
    for (const entry of [...entries.values()]) {
      if (closed) return;
      let answer;
      try {
        answer = { row: (await deliver(entry)) ?? null };
      } catch (err) {
        if (unreachable(err) || err.status === 429) {
          timer = setTimeout(flush, wait);
          wait = Math.min(wait * 2, 60_000);
          return;
        }
        answer = { err };
      }
      if (await forget(entry)) listeners.get(entry.key)?.(answer, entry);
      onChange();
    }
    wait = 2000;
    if (entries.size) await sendAll(); // changed while being sent
  }

  /** Sends what waits, one after the other; several windows of one browser take turns. */
  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (!entries.size || closed) return Promise.resolve();
    const inTurn = () => (navigator.locks ? navigator.locks.request('doubletap-outbox', sendAll) : sendAll());
    flushing ??= inTurn().finally(() => (flushing = null));
    return flushing;
  }

  return {
    flush,

    /** Takes in what the last visit left, and sends it. */
    async open() {
      for (const entry of await shelf.all('outbox/')) if (!entries.has(entry.key)) entries.set(entry.key, entry);
      opening();
      onChange();
      return flush();
    },
    /** Resolves when that is known. */
    opened,

    /** Keeps an entry until it can be sent; it replaces one of the same key. */
    keep(entry) {
      entries.set(entry.key, entry);
      onChange();
      timer ||= setTimeout(flush, wait);
      return shelf.put('outbox/' + entry.key, entry);
    },

    /** Takes back what was not sent yet. */
    async drop(key) {
      if (entries.has(key)) await forget(entries.get(key));
      onChange();
    },

    /** What waits under a key, or what waits at all. */
    waiting: (key) => entries.get(key),
    all: () => [...entries.values()],
    get size() {
      return entries.size;
    },

    /** Hears what became of the entry of a key, once for each delivery. */
    listen(key, hear) {
      listeners.set(key, hear);
      return () => listeners.get(key) === hear && listeners.delete(key);
    },

    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
