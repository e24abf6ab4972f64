// Finding people, hashtags and posts: the server's search, as a list without an end and as suggestions.

/** @import { Client, Cursor } from './shapes' */
/** @import { Routes } from './types' */
import { fold } from './words.js';

/** What people type, without the sign in front. */
export const plain = (/** @type {string} */ q) => q.trim().replace(/^[@#]+/, '').normalize('NFKC').toLowerCase();

/** Whether q is long enough to be asked: one character is where each is a word, as the server has it. */
export const enough = (/** @type {string} */ q) => [...q].length > 1 || /^(?!\p{M})[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u{10ffff}]/u.test(fold(q).match(/^[\p{L}\p{N}]/u)?.[0] ?? '');
const asks = (/** @type {string} */ q) => enough(q) && [...q].length <= 50;
const ask = (/** @type {Client} */ pb, /** @type {Routes['GET /api/v1/search']['query']} */ query) => pb.send('/api/v1/search', { query: { expand: 'author', ...query }, requestKey: null });

/**
 * A cursor over everything of one type that fits, to be used as one of cursor.js:
 *
 *   const found = openSearch(pb, 'posts', 'sea');   // or "users" or "tags"
 *   while (!found.done) show(await found.next());
 * @param {Client} pb
 * @param {'users' | 'tags' | 'posts'} type
 * @param {string} words
 * @returns {Cursor<any>}
 */
export function openSearch(pb, type, words, { perPage = 30 } = {}) {
  const q = plain(words);
  let cursor = /** @type {string | undefined} */ (undefined); // none yet; the server's last word is an empty one
  return {
    get done() {
      return cursor === '';
    },
    async next() {
      const rows = /** @type {any[]} */ ([]);
      if (!asks(q)) cursor = '';
      while (!rows.length && cursor !== '') { // a page may be empty and not the last
        const page = await ask(pb, { q, type, perPage, ...(cursor && { cursor }) });
        rows.push(...page[type] ?? []);
        cursor = page.cursor;
      }
      return rows;
    },
  };
}

/** The first five of each type, {users, tags, posts}, while somebody types. */
export async function suggest(/** @type {Client} */ pb, /** @type {string} */ words) {
  const q = plain(words);
  return asks(q) ? ask(pb, { q }) : { users: [], tags: [], posts: [] };
}

/** The newest people whom I do not follow, to begin with. */
export async function newcomers(/** @type {Client} */ pb, most = 6) {
  const filter = pb.filter('id != {:me} && handle != "" && state = "active"', { me: pb.authStore.record?.id ?? '' });
  const page = await pb.collection('users').getList(1, most * 4, { sort: '-created', filter, skipTotal: true, requestKey: null });
  return page.items.filter(({ relationship: tie }) => !tie.following && !tie.requested && !tie.blocking).slice(0, most);
}
