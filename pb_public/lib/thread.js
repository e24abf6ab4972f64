// The comments of one post: newest first, their answers beneath, mine at once.

/** @import { Delivery, Edge, KeysetCursor, NewComment, ShownComment, SignedIn, ThreadOptions, Outbox } from './shapes' */
/** @import { CommentsRecord } from './types' */
import { openCursor } from './cursor.js';
import { openEdge } from './edge.js';
import { createOnce, newId, unreachable } from './outbox.js';

const PAGE = 20;

/**
 * Opens the comments of a post.
 *
 *   const thread = openThread(pb, post.id, { outbox, onChange: draw, onError: say });
 *   await thread.more();
 *   thread.roots();                    // [{comment, answers, like, waiting}]
 *   await thread.write('so blue', root);
 *   thread.counted(post.commentsCount) // from posts.subscribe(id, …): something came or went
 *
 * The live count of a post is what tells of others' comments; the newest page is
 * read again then. That costs the server nothing while nobody writes.
 * @param {SignedIn} pb
 * @param {string} post
 * @param {ThreadOptions} [options]
 */
export function openThread(pb, post, { outbox, onChange = () => {}, onError = () => {} } = {}) {
  const me = pb.authStore.record;
  const comments = /** @type {Map<string, ShownComment>} */ (new Map()); // by id
  const likes = /** @type {Map<string, Edge>} */ (new Map()); // by id of the comment
  const open = /** @type {Map<string, KeysetCursor<CommentsRecord>>} */ (new Map()); // answers shown: id of the root → cursor
  const inPost = pb.filter('post = {:post}', { post });
  let cursor = openRoots();
  let oldest = /** @type {ShownComment | null} */ (null); // the last root of the pages read
  let counted = /** @type {number | null} */ (null);
  let refreshing = /** @type {Promise<void> | null} */ (null);
  let again = false;

  function openRoots() {
    return openCursor(pb, 'comments', { by: '-created,-id', filter: `${inPost} && parent = ""`, expand: 'author', perPage: PAGE });
  }

  function likeOf(/** @type {ShownComment} */ comment) {
    const like = likes.get(comment.id) ?? openEdge(pb, 'comment_likes', { comment: comment.id }, { count: comment.likesCount, outbox, onChange, onError });
    likes.set(comment.id, like);
    return like;
  }

  /** Takes rows in, and which of them I like: comments do not tell by themselves. */
  async function put(/** @type {CommentsRecord[]} */ rows) {
    if (!rows.length) return;
    const mine = me && await pb.collection('comment_likes').getFullList({
      filter: `${pb.filter('user = {:me}', { me: me.id })} && (${rows.map((row) => pb.filter('comment = {:id}', { id: row.id })).join(' || ')})`, requestKey: null,
    });
    const edges = new Map(mine?.map((edge) => [edge.comment, edge.id]));
    for (const row of rows) {
      comments.set(row.id, row);
      likeOf(row).heard({ id: edges.get(row.id) ?? '', count: row.likesCount });
    }
  }

  async function more() {
    const rows = await cursor.next();
    await put(rows);
    oldest = rows.at(-1) ?? oldest;
    onChange();
  }

  async function answers(/** @type {string} */ root) {
    const list = open.get(root) ?? openCursor(pb, 'comments', { by: 'created,id', filter: `${inPost} && ${pb.filter('parent = {:root}', { root })}`, expand: 'author', perPage: PAGE });
    open.set(root, list);
    await put(await list.next());
    onChange();
  }

  // what is gone from a list that was just read is gone from here, but for what waits to be sent
  const keepOnly = (/** @type {(comment: ShownComment) => boolean} */ of, /** @type {CommentsRecord[]} */ rows) => {
    const there = new Set(rows.map((row) => row.id));
    for (const comment of comments.values()) {
      if (of(comment) && !there.has(comment.id) && !comment.waiting) comments.delete(comment.id);
    }
  };

  /** Reads again what may have changed: the newest page, and the answers that are open. */
  async function refresh() {
    const rows = await cursor.start();
    const since = rows.length < PAGE ? '' : rows.at(-1)?.created ?? '';
    keepOnly((comment) => !comment.parent && comment.created > since, rows);
    await put(rows);
    if (rows.length < PAGE) oldest = rows.at(-1) ?? null;
    for (const [root, list] of open) {
      const first = await list.start();
      if (first.length < PAGE) keepOnly((comment) => comment.parent === root, first);
      await put(first);
    }
    onChange();
  }

  function refreshSoon() {
    again = true;
    refreshing ??= (async () => {
      while (again) {
        again = false;
        await refresh().catch(() => {}); // the next count, or the next reconnect, asks again
      }
      refreshing = null;
    })();
    return refreshing;
  }

  function settled(/** @type {string} */ id, /** @type {Delivery} */ { row, err }) {
    if (row) comments.set(id, { ...row, expand: { author: me, ...row.expand } });
    else comments.delete(id);
    onChange();
    if (err) onError(err);
  }

  async function write(/** @type {string} */ text, parent = '') {
    const body = { id: newId(), post, text, parent };
    const now = new Date().toISOString().replace('T', ' ');
    /** @type {ShownComment} */
    const mine = { ...body, author: me.id, created: now, likesCount: 0, repliesCount: 0, waiting: 'sending', expand: { author: me } };
    comments.set(body.id, mine);
    onChange();
    try {
      settled(body.id, { row: await createOnce(pb, 'comments', body, { expand: 'author' }) });
    } catch (err) {
      if (!outbox || !unreachable(err)) {
        comments.delete(body.id);
        onChange();
        throw err;
      }
      comments.set(body.id, { ...mine, waiting: 'queued' });
      keep(outbox, body, now);
      onChange();
    }
  }

  function keep(/** @type {Outbox} */ outbox, /** @type {NewComment} */ body, /** @type {string} */ at) {
    const key = 'comments/' + body.id;
    outbox.listen(key, (answer) => settled(body.id, answer));
    return outbox.keep({ key, collection: 'comments', body, expand: 'author', at });
  }

  // what an earlier visit left unsent
  outbox?.opened.then(() => {
    for (const entry of outbox.all()) {
      if (entry.collection !== 'comments') continue;
      const { key, body, at } = entry;
      if ( body.post !== post || comments.has(body.id)) continue;
      comments.set(body.id, { ...body, author: me.id, created: at, likesCount: 0, repliesCount: 0, waiting: 'queued', expand: { author: me } });
      outbox.listen(key, (answer) => settled(body.id, answer));
    }
    onChange();
  });

  async function remove(/** @type {ShownComment} */ comment) {
    if (comment.waiting) await outbox?.drop('comments/' + comment.id);
    else await pb.collection('comments').delete(comment.id, { requestKey: null }).catch((err) => {
      if (err.status !== 404) throw err;
    });
    if (comment.repliesCount > 0) comments.set(comment.id, { ...comment, deleted: true, text: '', author: '', expand: {} });
    else comments.delete(comment.id);
    onChange();
  }

  const order = (/** @type {ShownComment} */ a, /** @type {ShownComment} */ b) => (a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? -1 : 1);
  const shown = (/** @type {ShownComment} */ comment) => ({ ...comment, like: likeOf(comment) });

  return {
    more, answers, write, remove,
    get done() { return cursor.done; },

    /** As far back as pages were read, newest first, each with its open answers, oldest first. */
    roots() {
      const all = [...comments.values()].sort(order);
      return all.filter((one) => !one.parent && (cursor.done || one.waiting || !oldest || order(oldest, one) <= 0)).reverse().map((root) => {
        const below = all.filter((one) => one.parent === root.id);
        return { ...shown(root), answers: below.map(shown), hiddenAnswers: Math.max(0, root.repliesCount - below.filter((one) => !one.waiting).length), opened: open.has(root.id) };
      });
    },

    /** The post's count as the server tells it: when it has moved, somebody wrote or took back. */
    counted(/** @type {number} */ count) {
      if (counted !== null && count !== counted) refreshSoon();
      counted = count;
    },
    refresh: refreshSoon,
  };
}
