// The home feed: posts as far as they were read, and newer ones that wait until
// they are asked for, so that the page never jumps under a reader.

/** @import { Client, FeedRow, FeedState, Post, Shelf } from './shapes' */
import { channel, openCursor } from './cursor.js';

/**
 * Opens a feed at its newest post.
 *
 *   const feed = openFeed(pb);
 *   while (!feed.done) show(await feed.next());
 *
 * A row is {id, at, post, author, expand: {post: {…, expand: {author}}}}.
 * @param {Client} pb
 */
export function openFeed(pb, { perPage = 30 } = {}) {
  return openCursor(pb, 'feed', { by: '-at,-post', expand: 'post.author', perPage });
}

/**
 * The feed as a page holds it.
 *
 *   const feed = feedStore(pb, { shelf });
 *   feed.changes.listen(draw);  feed.more();
 *   feed.get();                       // {posts, phase, error, kept}
 *   feed.heard(action, row);          // from pb.collection('feed').subscribe('*', …)
 *   feed.waiting; feed.showWaiting(); // "3 new photos"
 *
 * With a shelf, the newest posts are there without a connection, too: kept is true then.
 * @param {Client} pb
 * @param {{ shelf?: Shelf, perPage?: number }} [options]
 */
export function feedStore(pb, { shelf, perPage = 12 } = {}) { // few at a time: they are soon drawn
  const changes = channel();
  let feed = openFeed(pb, { perPage });
  let waiting = /** @type {Post[]} */ ([]); // newer posts, newest first
  let behind = false; // so many are new that they do not join up with what is shown
  const postsOfRows = new Map(); // ids, as a row that leaves the feed is told by its id alone
  /** @type {FeedState} */
  const state = { posts: [], phase: 'loading', error: null, kept: false };

  function postOf(/** @type {FeedRow} */ row) {
    postsOfRows.set(row.id, row.post);
    return row.expand?.post; // not there when it went out of sight meanwhile
  }
  const isIn = (/** @type {Post[]} */ posts, /** @type {Post} */ post) => posts.some((one) => one.id === post.id);
  /** @type {(post: Post | undefined) => post is Post} */
  const unknown = (post) => post !== undefined && !isIn(state.posts, post) && !isIn(waiting, post);
  const set = (/** @type {Partial<FeedState>} */ changed) => {
    Object.assign(state, changed);
    changes.send();
  };

  async function more() {
    if (state.phase === 'reading' || feed.done) return;
    const asked = feed;
    const begin = state.kept || !state.posts.length;
    set({ phase: begin ? 'loading' : 'reading', error: null });
    try {
      const rows = await asked.next();
      if (asked !== feed) return; // begun anew meanwhile
      if (begin) shelf?.put('feed', rows).catch(() => {});
      const before = state.kept ? [] : state.posts;
      const posts = [...before, ...rows.map(postOf).filter(/** @returns {post is Post} */ (post) => post !== undefined && !isIn(before, post))];
      waiting = waiting.filter((post) => !isIn(posts, post));
      set({ posts, phase: 'ready', kept: false });
      if (!posts.length && waiting.length) showWaiting();
    } catch (err) {
      if (asked !== feed) return;
      const kept = state.posts.length ? [] : ((await shelf?.get('feed').catch(() => null)) ?? []);
      const posts = kept.map(postOf).filter((/** @type {Post | undefined} */ post) => post !== undefined);
      if (posts.length) set({ posts, kept: true });
      set({ phase: 'failed', error: err });
    }
  }

  /** Begins anew; what is shown stays until the answer is there. */
  function reload() {
    feed = openFeed(pb, { perPage });
    waiting = [];
    behind = false;
    state.kept = true;
    state.phase = 'ready';
    return more();
  }

  function showWaiting() {
    if (behind) return void reload();
    // in order of time, since a follow brings older posts too
    const posts = [...waiting, ...state.posts].sort((a, b) => (a.created < b.created ? 1 : -1));
    waiting = [];
    return set({ posts });
  }

  return {
    changes, more, reload, showWaiting,
    get: () => state,
    get done() { return feed.done; },
    get waiting() { return waiting.length; },
    get behind() { return behind; },

    /** A row came into the feed or left it. */
    heard(/** @type {string} */ action, /** @type {FeedRow} */ row) {
      if (action === 'delete') return this.remove(postsOfRows.get(row.id));
      const post = postOf(row);
      if (unknown(post)) {
        waiting = [post, ...waiting];
        if (state.phase === 'ready' && !state.posts.length) showWaiting();
        changes.send();
      }
      return undefined;
    },

    /** After a reconnect: what came while nobody was listening? */
    async check() {
      if (state.phase === 'failed') return void more();
      if (state.phase !== 'ready') return;
      const rows = await feed.start().catch(() => []);
      const fresh = rows.map(postOf).filter(unknown);
      behind = behind || (fresh.length > 0 && fresh.length === rows.length && state.posts.length > 0);
      waiting = [...fresh, ...waiting];
      if (!state.posts.length && waiting.length) showWaiting();
      changes.send();
    },

    /** My own new post goes on top at once. */
    add(/** @type {Post} */ post) {
      waiting = waiting.filter((one) => one.id !== post.id);
      set({ posts: [post, ...state.posts.filter((one) => one.id !== post.id)] });
    },

    /** What the server tells of a post; who wrote it is known already. */
    update(/** @type {Post} */ record) {
      set({ posts: state.posts.map((post) => (post.id === record.id ? { ...post, ...record, expand: { ...post.expand, ...record.expand } } : post)) });
    },

    remove(/** @type {string | undefined} */ id) {
      waiting = waiting.filter((post) => post.id !== id);
      set({ posts: state.posts.filter((post) => post.id !== id) });
    },

    /** "Hide this": the post leaves my feed and does not come back. */
    async hide(/** @type {string} */ id) {
      const row = await pb.collection('feed').getFirstListItem(pb.filter('post = {:id}', { id }), { requestKey: null });
      await pb.collection('feed').delete(row.id, { requestKey: null });
      this.remove(id);
    },

    /** All posts of one person leave, as after an unfollow, a block or a mute. */
    without(/** @type {string} */ author) {
      waiting = waiting.filter((post) => post.author !== author);
      set({ posts: state.posts.filter((post) => post.author !== author) });
    },
  };
}
