// Everything a person has here, as one file they can keep.

/** @import { CollectionName, SignedIn } from './shapes' */

const kinds = {
  posts: 'author', comments: 'author', likes: 'user', comment_likes: 'user', saves: 'user', blocks: 'blocker', mutes: 'muter', reports: 'reporter', devices: 'user', notifications: 'recipient', settings: 'user',
};

/**
 * Reads my rows of every collection: {users: [me], posts: […], following: […], …}.
 * @param {SignedIn} pb
 * @param {(share: number) => void} [onProgress]
 */
export async function gather(pb, onProgress = () => {}) {
  const me = pb.authStore.record.id;
  const asked = [...Object.entries(kinds), ['following', 'follower'], ['followers', 'followee']];
  /** @type {Record<string, unknown[]>} */
  const all = { users: [await pb.collection('users').getOne(me, { requestKey: null })] };
  for (const [index, [name = '', mine]] of asked.entries()) {
    const collection = /** @type {CollectionName} */ (name.startsWith('follow') ? 'follows' : name);
    all[name] = await pb.collection(collection).getFullList({ filter: pb.filter(`${mine} = {:me}`, { me }), batch: 200, requestKey: null });
    onProgress((index + 1) / asked.length);
  }
  return all;
}
