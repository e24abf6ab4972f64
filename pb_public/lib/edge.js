// My edges to posts and people. A like or a save is an optimistic yes or no that
// stays honest: it shows at once, the server has the last word, and a refusal puts
// the truth back and says so. A follow, a mute or a block shows when it is done.

/** @import { Client, Edge, EdgeCollection, EdgeOptions, Ends, Post, Relationship, SignedIn } from './shapes' */
/** @import { FollowsRecord, UsersRecord } from './types' */
import { removeEdge, unreachable } from './outbox.js';

/**
 * Follows one edge of mine, such as a like, a save or the like of a comment.
 *
 *   const save = openEdge(pb, 'saves', { post: post.id }, { id: post.saved, onChange: draw, onError: say });
 *   save.toggle();  save.want(true);   // wanting what is there already does no harm
 *   save.shown();                      // {on, count, pending, queued}
 *   save.heard({ id, count });         // from a list or an event
 *
 * What is shown is what the server last told plus the change that is still on its
 * way. The id of my edge tells whether it is counted already, so nothing is
 * counted twice. With an outbox, a change without a connection waits there instead of failing.
 * @param {Client} pb
 * @param {EdgeCollection} collection
 * @param {Ends} ends
 * @param {EdgeOptions} [options]
 * @returns {Edge}
 */
export function openEdge(pb, collection, ends, { id = '', count = 0, outbox, onChange = () => {}, onError = () => {} } = {}) {
  const key = [collection, ...Object.values(ends)].join('/');
  const options = { requestKey: key }; // else the SDK cancels the first of two equal requests
  const truth = { id, count };
  let desired = /** @type {boolean | null} */ (null); // the one being sent

  const isOn = () => truth.id !== '';
  const kept = () => outbox?.waiting(key)?.wanted ?? null; // the one that waits for a connection
  const wanted = () => desired ?? kept();
  const keep = (/** @type {boolean} */ to) => outbox?.keep({ key, collection, ends, wanted: to });

  function stored(/** @type {{ id: string }} */ row) {
    if (!isOn()) truth.count++;
    truth.id = row.id;
  }

  function removed() {
    if (isOn()) truth.count--;
    truth.id = '';
  }

  // creating what is there already answers 200 with the stored row
  const create = () => pb.collection(collection).create(/** @type {any} */ (ends), options).then(stored);
  const remove = () => pb.collection(collection).delete(truth.id, options).catch((err) => {
    if (err.status !== 404) throw err; // gone already: done
  }).then(removed);

  async function want(/** @type {boolean} */ to) {
    if (kept() !== null) {
      keep(to);
      onChange();
      return;
    }
    const underWay = desired !== null;
    desired = to;
    onChange();
    if (underWay) return; // one request at a time: the loop below sees the new state
    let refusal = null;
    try {
      while (desired !== isOn()) await (desired ? create() : remove());
    } catch (err) {
      if (outbox && unreachable(err)) keep(desired);
      else refusal = { err, desired };
    }
    desired = null;
    onChange();
    if (refusal) onError(refusal.err, refusal.desired);
  }

  outbox?.listen(key, ({ row, err }, entry) => {
    if (err) onError(err, entry.wanted);
    else if (row) stored(row);
    else removed();
    onChange();
  });
  outbox?.opened.then(onChange);

  return {
    shown() {
      const on = wanted() ?? isOn();
      return { on, count: Math.max(0, truth.count + Number(on) - Number(isOn())), pending: wanted() !== null, queued: kept() !== null };
    },
    want,
    toggle: () => want(!(wanted() ?? isOn())),

    /** Takes in what the server tells; id is undefined where it does not say. */
    heard({ id, count }) {
      if (id === undefined && wanted() !== null) return; // cannot tell whether mine is counted in it
      truth.id = id ?? truth.id;
      truth.count = count ?? truth.count;
      onChange();
    },
  };
}

/**
 * Follows one post's like: the heart fills at once.
 *
 *   const like = openLike(pb, post, { onChange: draw, onError: (err) => say(err) });
 *   like.toggle();                 // the button
 *   like.like();                   // the double tap: never takes a like away
 *   like.heard(event.record);      // from pb.collection('posts').subscribe(post.id, …)
 *   like.shown();                  // {on, count, pending, queued}
 *
 * `post.liked` is the id of my own like or "", so a live count tells by itself
 * whether my like is in it already.
 * @param {Client} pb
 * @param {Pick<Post, 'id' | 'liked' | 'likesCount'>} post
 * @param {EdgeOptions} [options]
 */
export function openLike(pb, post, options = {}) {
  const edge = openEdge(pb, 'likes', { post: post.id }, { id: post.liked || '', count: post.likesCount || 0, ...options });
  return {
    shown: edge.shown,
    toggle: edge.toggle,
    like: () => edge.want(true),

    /** Takes in what the server tells of the post: from a list, a view or a realtime event. */
    heard: (/** @type {Partial<Post>} */ record) => edge.heard({ id: record.liked, count: record.likesCount }),
  };
}

/**
 * Follows what is between me and another person: following, asked to, muted, blocked.
 * `relationship` comes with every users record.
 *
 *   const tie = openTie(pb, person, { onChange: draw });
 *   await tie.follow();      // tie.shown().following, or .requested when the account is private
 *   await tie.block();       // parts both, as the server does
 *
 * Each action shows when the server has agreed and rejects when it has not: whom one
 * follows and blocks is not guessed at.
 * @param {SignedIn} pb
 * @param {Pick<UsersRecord, 'id' | 'relationship'>} person
 * @param {{ onChange?: () => void }} [options]
 */
export function openTie(pb, person, { onChange = () => {} } = {}) {
  let shown = { ...person.relationship };
  let busy = false;

  async function applyChange(/** @type {() => Promise<Partial<Relationship>>} */ work) {
    if (busy) return;
    busy = true;
    onChange();
    try {
      shown = { ...shown, ...(await work()) };
    } finally {
      busy = false;
      onChange();
    }
  }

  const add = (/** @type {'follows' | 'mutes' | 'blocks'} */ collection, /** @type {any} */ ends) => pb.collection(collection).create(ends, { requestKey: null });
  const take = (/** @type {EdgeCollection} */ collection, /** @type {Ends} */ ends) => removeEdge(pb, collection, ends);

  return {
    shown: () => ({ ...shown, busy }),
    heard(/** @type {Relationship} */ relationship) {
      if (!busy && relationship) shown = { ...relationship };
    },
    follow: () => applyChange(async () => {
      const { state } = /** @type {FollowsRecord} */ (await add('follows', { followee: person.id }));
      return { following: state === 'accepted', requested: state !== 'accepted' };
    }),
    unfollow: () => applyChange(() => take('follows', { followee: person.id }).then(() => ({ following: false, requested: false }))),
    mute: () => applyChange(() => add('mutes', { muted: person.id }).then(() => ({ muting: true }))),
    unmute: () => applyChange(() => take('mutes', { muted: person.id, post: '' }).then(() => ({ muting: false }))),
    block: () => applyChange(() => add('blocks', { blocked: person.id }).then(() => ({ blocking: true, following: false, requested: false, followsMe: false }))),
    unblock: () => applyChange(() => take('blocks', { blocked: person.id }).then(() => ({ blocking: false }))),
    /** Takes a follower away, or declines who asks to be one. */
    dismiss: () => applyChange(async () => {
      const follows = pb.collection('follows');
      const row = await follows.getFirstListItem(pb.filter('follower = {:them} && followee = {:me}', { them: person.id, me: pb.authStore.record.id }), { requestKey: null });
      await follows.delete(row.id, { requestKey: null });
      return { followsMe: false };
    }),
  };
}
