// What was said and done without a connection: kept on the device, sent when there
// is one, and stored once however often it is sent.

/** @import { Client, Delivery, EdgeCollection, Ends, Entry, Outbox, Shelf } from './shapes' */

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
 * @param {Client} pb
 * @param {Shelf} shelf
 * @param {{ onChange?: () => void }} [options]
 * @returns {Outbox}
 */
export function openOutbox(pb, shelf, { onChange = () => {} } = {}) {
  const entries = /** @type {Map<string, Entry>} */ (new Map()); // by key, oldest first
  const listeners = /** @type {Map<string, (answer: Delivery, entry: Entry) => void>} */ (new Map()); // by key
  let flushing = /** @type {Promise<void> | null} */ (null);
  let timer = 0;
  let wait = 2000;
  let closed = false;
  let opening = () => {};
  const opened = /** @type {Promise<void>} */ (new Promise((done) => (opening = done)));

  async function deliver(/** @type {Entry} */ entry) {
    if (!entry.ends) return createOnce(pb, entry.collection, entry.body, { expand: entry.expand });
    if (entry.wanted) return pb.collection(entry.collection).create(/** @type {any} */ (entry.ends), { requestKey: null });
    return removeEdge(pb, entry.collection, entry.ends);
  }

  async function forget(/** @type {Entry} */ entry) {
    if (entries.get(entry.key) !== entry) return false; // wanted otherwise meanwhile
    entries.delete(entry.key);
    await shelf.drop('outbox/' + entry.key);
    return true;
  }

  /** @returns {Promise<void>} */
  async function sendAll() {
    const limited = new Set(); // collections to which this person may add nothing for a while; the others need not wait
    for (const entry of [...entries.values()]) {
      if (closed) return;
      if (limited.has(entry.collection)) continue;
      let answer;
      try {
        answer = { row: (await deliver(entry)) ?? null };
      } catch (/** @type {any} */ err) {
        if (err.status === 429) {
          limited.add(entry.collection);
          continue;
        }
        if (unreachable(err)) return sendLater();
        answer = { err };
      }
      if (await forget(entry)) listeners.get(entry.key)?.(answer, entry);
      onChange();
    }
    if (limited.size) return sendLater();
    wait = 2000;
    if (entries.size) await sendAll(); // changed while being sent
  }

  function sendLater() {
    timer = setTimeout(flush, wait);
    wait = Math.min(wait * 2, 60_000);
  }

  /**
   * Sends what waits, one after the other; several windows of one browser take turns.
   * @returns {Promise<void>}
   */
  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (!entries.size || closed) return Promise.resolve();
    const inTurn = () => (navigator.locks ? navigator.locks.request('doubletap-outbox', sendAll) : sendAll());
    flushing ??= /** @type {Promise<any>} */ (inTurn()).finally(() => (flushing = null));
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
      const entry = entries.get(key);
      if (entry) await forget(entry);
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

// Requests that may be sent twice: for answers that get lost ---------------

/**
 * A fresh 15-character record id. Sent with a create, it makes a retry safe:
 * for a day the server answers the same request with what it stored, and the
 * id can be stored only once.
 */
export function newId() {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return Array.from(bytes, (b) => letters[b % letters.length]).join('');
}

/**
 * Whether a request may have failed on the way, so that the same one may succeed later:
 * there was no answer, or one from a server that cannot answer right now.
 */
export function unreachable(/** @type {any} */ err) {
  return !err?.isAbort && (!err?.status || [502, 503, 504].includes(err.status));
}

/**
 * Creates a record under an id made here; when an earlier try got through already, also days ago, answers what that one stored.
 * @param {Client} pb
 * @param {'comments' | 'posts'} collection
 * @param {any} body
 */
export async function createOnce(pb, collection, body, options = {}) {
  try {
    return await pb.collection(collection).create(body, { requestKey: null, ...options });
  } catch (/** @type {any} */ err) {
    const taken = err.status === 400 && err.response?.data?.id?.code === 'validation_not_unique';
    if (!taken) throw err;
    const stored = /** @type {any} */ (await pb.collection(collection).getOne(body.id, { requestKey: null, ...options }).catch(() => null));
    if ((stored?.author ?? stored?.user) !== pb.authStore.record?.id) throw err; // somebody else's, by a chance of one in 10^23
    return stored;
  }
}

/**
 * Takes away my edge of the given ends; that it is not there (any more) is as good.
 * @param {Client} pb
 * @param {EdgeCollection} collection
 * @param {Ends} ends
 */
export async function removeEdge(pb, collection, ends) {
  const mine = { likes: 'user', comment_likes: 'user', saves: 'user', follows: 'follower', blocks: 'blocker', mutes: 'muter' }[collection];
  const which = /** @type {Record<string, unknown>} */ ({ ...ends, [mine]: pb.authStore.record?.id });
  const filter = Object.keys(which).map((name) => pb.filter(`${name} = {:v}`, { v: which[name] })).join(' && ');
  try {
    const edge = await pb.collection(collection).getFirstListItem(filter, { requestKey: null });
    await pb.collection(collection).delete(edge.id, { requestKey: null });
  } catch (/** @type {any} */ err) {
    if (err.status !== 404) throw err;
  }
}
