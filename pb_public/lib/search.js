// Finding people, hashtags and posts. The one place that knows how: today by the
// filters of the collections; a search route would be asked from here and answer the same shapes.

import { openCursor } from './cursor.js';

const withHandle = 'handle != "" && state = "active"';

const ways = {
  users: (pb, q) => ['users', { by: '-followersCount,-id', filter: pb.filter(`${withHandle} && (handle ~ {:start} || name ~ {:q})`, { start: `${q}%`, q }) }],
  tags: (pb, q) => ['hashtags', { by: '-postsCount,-id', filter: pb.filter('name ~ {:start}', { start: `${q}%` }) }],
  posts: (pb, q) => ['posts', { by: '-created,-id', filter: pb.filter('caption ~ {:q} || place ~ {:q}', { q }), expand: 'author' }],
};

/** What people type, without the sign in front. */
export const plain = (q) => q.trim().replace(/^[@#]+/, '').normalize('NFKC').toLowerCase().replaceAll('%', '');

/** A cursor over everything of one type ("users", "tags" or "posts") that fits; see cursor.js. */
export function openSearch(pb, type, q, { perPage = 30 } = {}) {
  const [collection, options] = ways[type](pb, plain(q));
  return openCursor(pb, collection, { ...options, perPage });
}

/** The first few of one type, for suggestions while somebody types. */
export const suggest = (pb, type, q, most = 5) => openSearch(pb, type, q, { perPage: most }).next();

/** The newest people whom I do not follow, to begin with. */
export async function newcomers(pb, most = 6) {
  const filter = pb.filter(`id != {:me} && ${withHandle}`, { me: pb.authStore.record?.id ?? '' });
  const page = await pb.collection('users').getList(1, most * 4, { sort: '-created', filter, skipTotal: true, requestKey: null });
  return page.items.filter(({ relationship: tie }) => !tie.following && !tie.requested && !tie.blocking).slice(0, most);
}
