// A create that may be sent twice and happens once: for answers that get lost.

/**
 * A fresh 15-character record id. Sent with a create, it makes a retry safe:
 * the id can be stored only once.
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
export function unreachable(err) {
  return !err?.isAbort && (!err?.status || [502, 503, 504].includes(err.status));
}

/** Creates a record under an id made here; when an earlier try got through already, answers what that one stored. */
export async function createOnce(pb, collection, body, options = {}) {
  try {
    return await pb.collection(collection).create(body, { requestKey: null, ...options });
  } catch (err) {
    const taken = err.status === 400 && err.response?.data?.id?.code === 'validation_not_unique';
    if (!taken) throw err;
    const stored = await pb.collection(collection).getOne(body.id, { requestKey: null, ...options }).catch(() => null);
    if ((stored?.author ?? stored?.user) !== pb.authStore.record?.id) throw err; // somebody else's, by a chance of one in 10^23
    return stored;
  }
}

/** Takes away my edge of the given ends; that it is not there (any more) is as good. */
export async function removeEdge(pb, collection, ends) {
  const mine = { likes: 'user', comment_likes: 'user', saves: 'user', follows: 'follower', blocks: 'blocker', mutes: 'muter' }[collection];
  const which = { ...ends, [mine]: pb.authStore.record?.id };
  const filter = Object.keys(which).map((name) => pb.filter(`${name} = {:v}`, { v: which[name] })).join(' && ');
  try {
    const edge = await pb.collection(collection).getFirstListItem(filter, { requestKey: null });
    await pb.collection(collection).delete(edge.id, { requestKey: null });
  } catch (err) {
    if (err.status !== 404) throw err;
  }
}
