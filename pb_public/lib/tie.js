// What is between me and another person: following, asked to, muted, blocked.

import { removeEdge } from './once.js';

/**
 * Follows the ties to one person; `relationship` comes with every users record.
 *
 *   const tie = openTie(pb, person, { onChange: draw });
 *   await tie.follow();      // tie.shown().following, or .requested when the account is private
 *   await tie.block();       // parts both, as the server does
 *
 * Each deed shows when the server has agreed and rejects when it has not: whom one
 * follows and blocks is not guessed at.
 */
export function openTie(pb, person, { onChange = () => {} } = {}) {
  let shown = { ...person.relationship };
  let busy = false;

  async function deed(work) {
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

  const add = (collection, ends) => pb.collection(collection).create(ends, { requestKey: null });
  const take = (collection, ends) => removeEdge(pb, collection, ends);

  return {
    shown: () => ({ ...shown, busy }),
    heard(relationship) {
      if (!busy && relationship) shown = { ...relationship };
    },
    follow: () => deed(async () => {
      const { state } = await add('follows', { followee: person.id });
      return { following: state === 'accepted', requested: state !== 'accepted' };
    }),
    unfollow: () => deed(() => take('follows', { followee: person.id }).then(() => ({ following: false, requested: false }))),
    mute: () => deed(() => add('mutes', { muted: person.id }).then(() => ({ muting: true }))),
    unmute: () => deed(() => take('mutes', { muted: person.id, post: '' }).then(() => ({ muting: false }))),
    block: () => deed(() => add('blocks', { blocked: person.id }).then(() => ({ blocking: true, following: false, requested: false, followsMe: false }))),
    unblock: () => deed(() => take('blocks', { blocked: person.id }).then(() => ({ blocking: false }))),
    /** Takes a follower away, or declines who asks to be one. */
    dismiss: () => deed(async () => {
      const follows = pb.collection('follows');
      const row = await follows.getFirstListItem(pb.filter('follower = {:them} && followee = {:me}', { them: person.id, me: pb.authStore.record.id }), { requestKey: null });
      await follows.delete(row.id, { requestKey: null });
      return { followsMe: false };
    }),
  };
}
