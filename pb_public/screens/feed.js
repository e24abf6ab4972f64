// The home feed, and a single post on a page of its own.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { openFeed } from '../lib/feed.js';
import { Post } from './post.js';
import { Sign, channel, count, useChannel, useSession } from './ui.js';

/** The feed as the page holds it: posts shown, and newer ones that wait until they are asked for. */
export function feedStore(pb) {
  const changes = channel();
  let feed = openFeed(pb);
  let waiting = []; // newer posts, newest first
  let behind = false; // so many are new that they do not join up with what is shown
  const postsOfRows = new Map(); // ids, as a row that leaves the feed is told by its id alone
  const state = { posts: [], phase: 'loading', error: null };

  function postOf(row) {
    postsOfRows.set(row.id, row.post);
    return row.expand?.post; // not there when it went out of sight meanwhile
  }
  const isIn = (posts, post) => posts.some((one) => one.id === post.id);
  const unknown = (post) => post && !isIn(state.posts, post) && !isIn(waiting, post);
  const set = (changed) => {
    Object.assign(state, changed);
    changes.send();
  };

  async function more() {
    if (state.phase === 'reading' || feed.done) return;
    const asked = feed;
    set({ phase: state.posts.length ? 'reading' : 'loading', error: null });
    try {
      const rows = await asked.next();
      if (asked !== feed) return; // begun anew meanwhile
      const posts = [...state.posts, ...rows.map(postOf).filter((post) => post && !isIn(state.posts, post))];
      waiting = waiting.filter((post) => !isIn(posts, post));
      set({ posts, phase: 'ready' });
      if (!posts.length && waiting.length) showWaiting();
    } catch (err) {
      if (asked === feed) set({ phase: 'failed', error: err });
    }
  }

  function reload() {
    feed = openFeed(pb);
    waiting = [];
    behind = false;
    state.posts = [];
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
    heard(action, row) {
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
      const rows = await feed.newest().catch(() => []);
      const fresh = rows.map(postOf).filter(unknown);
      behind = behind || (fresh.length > 0 && fresh.length === rows.length && state.posts.length > 0);
      waiting = [...fresh, ...waiting];
      if (!state.posts.length && waiting.length) showWaiting();
      changes.send();
    },

    /** My own new post goes on top at once. */
    add(post) {
      waiting = waiting.filter((one) => one.id !== post.id);
      set({ posts: [post, ...state.posts.filter((one) => one.id !== post.id)] });
    },

    /** What the server tells of a post; who wrote it is known already. */
    update(record) {
      set({ posts: state.posts.map((post) => (post.id === record.id ? { ...post, ...record, expand: { ...post.expand, ...record.expand } } : post)) });
    },

    remove(id) {
      waiting = waiting.filter((post) => post.id !== id);
      set({ posts: state.posts.filter((post) => post.id !== id) });
    },
  };
}

const Skeleton = () => html`<div class="post skeleton" aria-hidden="true">
  <div class="post-head"><span class="avatar"></span><span class="bone"></span></div><div class="frame"></div><span class="bone"></span></div>`;

export function Feed({ onCompose }) {
  const { feed } = useSession();
  const end = useRef(null);
  useChannel(feed.changes);
  const { posts, phase, error } = feed.get();

  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && feed.get().phase === 'ready' && feed.more(), { rootMargin: '1200px' });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [posts.length]);

  function showWaiting() {
    feed.showWaiting();
    document.getElementById('main').focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  const fresh = feed.waiting;
  return html`
    <div role="status">${fresh > 0 && html`<button class="fresh" onClick=${showWaiting}>${feed.behind ? 'Show what is new' : count(fresh, 'new photo')}</button>`}</div>
    ${posts.map((post, index) => html`<${Post} key=${post.id} post=${post} eager=${index < 2} onHeard=${feed.update} onGone=${() => feed.remove(post.id)} />`)}
    ${phase === 'loading' && html`<p class="visually-hidden" role="status">Photos are loading.</p><${Skeleton} /><${Skeleton} />`}
    ${phase === 'failed' && html`<div class="empty" role="alert"><h2>The feed did not load</h2><p>${because(error)}</p>
      <button class="button button-main" onClick=${feed.more}>Try again</button></div>`}
    ${phase === 'ready' && !posts.length && html`<div class="empty"><${Sign} name="heart" /><h2>It is quiet here</h2>
      <p>Follow a few people, or post the first photo yourself.</p>
      <p class="empty-ways"><a class="button button-main" href="#/people">Find people</a><button class="button" onClick=${onCompose}>Post a photo</button></p></div>`}
    <div ref=${end} class="feed-end">
      ${phase === 'reading' && html`<p role="status">More photos are loading…</p>`}
      ${phase === 'ready' && posts.length > 0 && feed.done && html`<p>You are all caught up.</p>`}
    </div>`;
}

/** One post by its id, as a notification leads to it. */
export function Single({ id }) {
  const { feed } = useSession();
  const [post, setPost] = useState(null);
  const [error, setError] = useState(null);

  async function load() {
    setError(null);
    try {
      setPost(await pb.collection('posts').getOne(id, { expand: 'author', requestKey: null }));
    } catch (err) {
      setError(err);
    }
  }
  useEffect(() => void load(), [id]);

  const gone = () => {
    feed.remove(id);
    setPost(null);
    setError({ status: 404 });
  };
  const heard = (record) => {
    feed.update(record);
    setPost((old) => ({ ...old, ...record, expand: { ...old.expand, ...record.expand } }));
  };
  return html`<p class="way-back"><a class="link" href="#/">← All photos</a></p>
    ${error?.status === 404 && html`<div class="empty" role="alert"><h2>Nothing to see</h2><p>This post is gone, or it is not shared with you.</p></div>`}
    ${error && error.status !== 404 && html`<div class="empty" role="alert"><h2>The post did not load</h2><p>${because(error)}</p>
      <button class="button button-main" onClick=${load}>Try again</button></div>`}
    ${!post && !error && html`<${Skeleton} />`}
    ${post && html`<${Post} key=${post.id} post=${post} eager onHeard=${heard} onGone=${gone} />`}`;
}
