// The like of a post: the heart fills at once and stays honest; see edge.js.

import { openEdge } from './edge.js';

/**
 * Follows one post's like.
 *
 *   const like = openLike(pb, post, { onChange: draw, onError: (err) => say(err) });
 *   like.toggle();                 // the button
 *   like.like();                   // the double tap: never takes a like away
 *   like.heard(event.record);      // from pb.collection('posts').subscribe(post.id, …)
 *   like.shown();                  // {on, count, pending, queued}
 *
 * `post.liked` is the id of my own like or "", so a live count tells by itself
 * whether my like is in it already.
 */
export function openLike(pb, post, options = {}) {
  const edge = openEdge(pb, 'likes', { post: post.id }, { id: post.liked || '', count: post.likesCount || 0, ...options });
  return {
    shown: edge.shown,
    toggle: edge.toggle,
    like: () => edge.want(true),

    /** Takes in what the server tells of the post: from a list, a view or a realtime event. */
    heard: (record) => edge.heard({ id: record.liked, count: record.likesCount }),
  };
}
