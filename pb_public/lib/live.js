// Notifications that arrive by themselves and never go missing: live events
// while connected, and after every reconnect a catch-up by `seq`.

/** @import { Client, CollectionName, FeedRow, Heard, LiveOptions, Told, Watch } from './shapes' */
/** @import { NotificationsRecord, SettingsRecord } from './types' */

const PAGE = 30;
const EXPAND = 'actors,post.author,comment'; // whose post it is tells whether its photo needs a token

/**
 * Keeps the signed-in user's tray, settings and watched posts up to date.
 *
 *   const live = openLive(pb, { onChange: draw });
 *   await live.start();
 *   live.rows(); live.unseen(); await live.markSeen(); live.stop();
 *
 * How nothing is lost: `seq` grows with every change to my notifications, and a
 * deleted one leaves its id and a `seq` in `retractions` for seven days. So
 * subscribe first, then read; and whenever the connection comes back, read
 * everything with a `seq` above the last one known, in order.
 *
 * onChange()            something shown has changed
 * onNews(row)           a notification arrived that has not been seen
 * onFeed(action, row)   a row of the home feed came or went
 * onConnect()           connected, at first or again: refresh whatever else is shown
 * onRefused()           the server takes no such subscription: perhaps the session has ended
 * @param {Client} pb
 * @param {LiveOptions} [options]
 */
export function openLive(pb, { onChange = () => {}, onNews = () => {}, onFeed = () => {}, onConnect = () => {}, onRefused = () => {} } = {}) {
  const rows = /** @type {Map<string, NotificationsRecord>} */ (new Map()); // notifications by id
  const gone = /** @type {Map<string, number>} */ (new Map()); // retracted ids with their seq
  const watched = /** @type {Map<string, Watch>} */ (new Map()); // posts in view: id → {callback, end}
  const quiet = { requestKey: null };
  let settings = /** @type {SettingsRecord | null} */ (null);
  let seq = 0; // every change up to here is in rows
  let connected = false;
  let listening = false; // the topics are with the SDK, which keeps them over reconnects
  let opening = false; // the topics are on their way to it
  let stopped = false;
  let oldest = /** @type {NotificationsRecord | null} */ (null); // the last row of the pages read
  let complete = false; // the oldest notification has been read
  let ready = /** @type {Promise<void> | null} */ (null); // the first read, once it is under way
  let catching = /** @type {Promise<void> | null} */ (null); // the catch-up under way
  let again = /** @type {Promise<void> | null} */ (null); // the one after it, for who asked meanwhile: it may have read already what they mean

  // -- rows ----------------------------------------------------------------

  const newestFirst = (/** @type {NotificationsRecord} */ a, /** @type {NotificationsRecord} */ b) => (a.latestAt === b.latestAt ? (a.id < b.id ? 1 : -1) : a.latestAt < b.latestAt ? 1 : -1);

  /** Stores a row unless something newer is known; tells whether it did. */
  function put(/** @type {NotificationsRecord} */ row) {
    if ((gone.get(row.id) ?? -1) >= row.seq || (rows.get(row.id)?.seq ?? -1) > row.seq) return false;
    rows.set(row.id, row);
    return true;
  }

  function retract(/** @type {string} */ id, /** @type {number} */ at) {
    gone.set(id, Math.max(at, gone.get(id) ?? 0));
    if ((rows.get(id)?.seq ?? Infinity) <= at) rows.delete(id);
  }

  async function notified(/** @type {Told<NotificationsRecord>} */ { action, record }) {
    if (action === 'delete') {
      retract(record.id, Math.max(record.seq ?? 0, rows.get(record.id)?.seq ?? 0)); // may carry no more than the id
    } else {
      const before = rows.get(record.id)?.latestAt ?? '';
      if (!put(record)) return;
      if (record.latestAt > before && record.latestAt > seenAt() && !record.read) onNews(record);
    }
    // what was skipped, such as a type that is not to be told at once, is left to the next catch-up
    if (record.seq === seq + 1) seq = record.seq;
    onChange();
  }

  const seenAt = () => settings?.seenAt ?? '';
  const later = (a = '', b = '') => (a > b ? a : b);

  /** Takes in the settings; seen and read never go back, whatever the order of answers and events. */
  function putSettings(/** @type {SettingsRecord} */ record) {
    settings = { ...record, seenAt: later(record.seenAt, settings?.seenAt), readAt: later(record.readAt, settings?.readAt) };
  }

  // -- reading -------------------------------------------------------------

  async function readSettings() {
    putSettings(await pb.collection('settings').getFirstListItem('', quiet));
  }

  /** Reads one more page of older notifications. */
  async function more() {
    const older = oldest
      ? pb.filter('latestAt <= {:c} && (latestAt < {:c} || id < {:p})', { c: oldest.latestAt, p: oldest.id })
      : '';
    const page = await pb.collection('notifications').getList(1, PAGE, {
      sort: '-latestAt,-id', skipTotal: true, expand: EXPAND, filter: older, ...quiet,
    });
    page.items.forEach(put);
    if (!oldest) seq = Math.max(seq, ...page.items.map((row) => row.seq));
    oldest = page.items.at(-1) ?? oldest;
    complete = page.items.length < PAGE;
    onChange();
  }

  /** Everything in a collection with a seq above the given one, in order. */
  async function after(/** @type {'notifications' | 'retractions'} */ collection, /** @type {number} */ from, options = {}) {
    const all = /** @type {any[]} */ ([]);
    for (let full = true; full; ) {
      const page = await pb.collection(collection).getList(1, 200, {
        sort: 'seq', skipTotal: true, filter: pb.filter('seq > {:seq}', { seq: all.at(-1)?.seq ?? from }), ...options, ...quiet,
      });
      all.push(...page.items);
      full = page.items.length === 200;
    }
    return all;
  }

  async function readMissed() {
    // Notifications first: whatever has a seq up to the last of them is stored by
    // then, so the retractions read next are complete up to there. That is why
    // only notifications move seq on; to hear of a retraction twice does no harm.
    const changed = await after('notifications', seq, { expand: EXPAND });
    const retracted = await after('retractions', seq);
    for (const row of [...changed, ...retracted].sort((a, b) => a.seq - b.seq)) {
      if (row.notification) retract(row.notification, row.seq);
      else put(row);
    }
    seq = Math.max(seq, changed.at(-1)?.seq ?? 0);
  }

  async function readWatched() {
    const ids = [...watched.keys()];
    if (!ids.length) return;
    const page = await pb.collection('posts').getList(1, ids.length, {
      filter: ids.map((id) => pb.filter('id = {:id}', { id })).join(' || '), skipTotal: true, ...quiet,
    });
    const found = new Map(page.items.map((post) => [post.id, post]));
    for (const id of ids) {
      watched.get(id)?.callback(found.has(id) ? { action: 'update', record: found.get(id) } : { action: 'delete', record: { id } });
    }
  }

  /**
   * Brings everything up to date: after a reconnect, when a sleeping page wakes, or when the tray is opened.
   * @returns {Promise<void>}
   */
  function catchUp() {
    if (catching) {
      return (again ??= catching.then(() => {
        again = null;
        return catchUp();
      }));
    }
    catching = (async () => {
      try {
        await (ready ??= more());
        await Promise.all([readMissed(), readSettings(), readWatched()]);
      } catch {
        ready = oldest || complete ? ready : null; // the first read failed: begin anew
        if (!stopped) setTimeout(catchUp, 3000);
      } finally {
        catching = null;
        onChange();
      }
    })();
    return catching;
  }

  // -- the connection ------------------------------------------------------

  function start() {
    pb.realtime.onDisconnect = () => {
      connected = false;
      onChange();
    };
    return open();
  }

  const listen = () => Promise.all([
    // comes after every connect, when the server knows all our topics again
    pb.realtime.subscribe('PB_CONNECT', () => {
      if (!pb.realtime.isConnected) return void open();
      connected = true;
      catchUp();
      onConnect();
    }),
    pb.collection('notifications').subscribe('*', notified, { expand: EXPAND }),
    pb.collection('settings').subscribe('*', ({ record }) => {
      putSettings(record);
      onChange();
    }),
    pb.collection('feed').subscribe('*', ({ action, record }) => onFeed(action, record), { expand: 'post.author' }),
  ]);

  /**
   * The SDK reconnects by itself, but gives up when the very first attempt fails, and also, without a word, when the
   * line breaks in the moment in which it has connected.
   */
  async function open() {
    if (opening) return;
    opening = true;
    for (let wait = 500; !stopped; wait = Math.min(wait * 2, 15_000)) {
      listening = false;
      await pb.realtime.unsubscribe().catch(() => {});
      await listen().catch((err) => err.status >= 400 && onRefused()); // a dead session may ask for less
      if (pb.realtime.isConnected) {
        listening = !stopped;
        for (const [id, watch] of watched) hear(id, watch);
        break;
      }
      connected = false;
      onChange();
      if (!ready) catchUp(); // show what can be read meanwhile
      await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    }
    opening = false;
  }

  function stop() {
    stopped = true;
    watched.clear();
    pb.realtime.onDisconnect = undefined;
    return pb.realtime.unsubscribe().catch(() => {});
  }

  function hear(/** @type {string} */ id, /** @type {Watch} */ watch) {
    const posts = pb.collection('posts');
    watch.end = posts.subscribe(id, watch.callback).catch(() => () => posts.unsubscribe(id));
  }

  /** Hears of a post while it is in view: counts as they change, and its removal. Answers what ends it. */
  function watchPost(/** @type {string} */ id, /** @type {Heard<any>} */ callback) {
    /** @type {Watch} */
    const watch = { callback, end: null };
    watched.set(id, watch);
    if (listening) hear(id, watch);
    return () => {
      if (watched.get(id) === watch) watched.delete(id);
      watch.end?.then((end) => end()).catch(() => {}); // offline: the topic is not asked for again
    };
  }

  // -- seen and read -------------------------------------------------------

  /** Changes a thing at once, and back again when the server refuses. */
  async function optimistic(/** @type {() => unknown} */ change, /** @type {() => Promise<unknown>} */ request, /** @type {() => unknown} */ undo) {
    change();
    onChange();
    try {
      await request();
    } catch (err) {
      undo();
      onChange();
      throw err;
    }
  }

  /** The tray was opened: everything listed counts as seen, on all of this person's devices. */
  async function markSeen() {
    const [newest] = api.rows();
    const before = settings;
    // the time of the newest row, not of this device's clock, which may be wrong
    if (!before || !newest || newest.latestAt <= before.seenAt) return;
    await optimistic(
      () => (settings = { ...before, seenAt: newest.latestAt }),
      () => pb.collection('settings').update(before.id, { seenAt: newest.latestAt }, quiet),
      () => (settings = { ...(settings ?? before), seenAt: before.seenAt }),
    );
  }

  async function markRead(/** @type {NotificationsRecord} */ row) {
    if (api.isRead(row)) return;
    await optimistic(
      () => rows.set(row.id, { ...row, read: true }),
      () => pb.collection('notifications').update(row.id, { read: true }, quiet),
      () => put(row),
    );
  }

  async function markAllRead() {
    const [newest] = api.rows();
    const before = settings;
    if (!before || !newest) return;
    await optimistic(
      () => (settings = { ...before, readAt: newest.latestAt }),
      () => pb.send('/api/v1/notifications/read', { method: 'POST', body: { before: newest.latestAt }, ...quiet }),
      () => (settings = { ...(settings ?? before), readAt: before.readAt }),
    );
  }

  const api = {
    start, stop, more, catchUp, watchPost, markSeen, markRead, markAllRead,

    /** The notifications to list, newest first: as far back as pages were read. */
    rows: () => [...rows.values()].sort(newestFirst).filter((row) => complete || !oldest || newestFirst(row, oldest) <= 0),
    /** The badge: what came since the tray was last opened. */
    unseen: () => api.rows().filter((row) => row.latestAt > seenAt()).length,
    /** Whether a post is in view. */
    watches: (/** @type {string} */ id) => watched.has(id),
    isSeen: (/** @type {NotificationsRecord} */ row) => row.latestAt <= seenAt(),
    isRead: (/** @type {NotificationsRecord} */ row) => row.read || row.latestAt <= (settings?.readAt ?? ''),
    get connected() { return connected; },
    get loaded() { return Boolean(oldest) || complete; },
    get complete() { return complete; },
    /** Whether seen and unseen can be told apart yet. */
    get settled() { return settings !== null; },
  };
  return api;
}
