// An optimistic like that stays honest: the heart fills at once, the server has
// the last word, and a failure puts the truth back and says so.

/**
 * Follows one post's like.
 *
 *   const like = openLike(pb, post, { onChange: draw, onError: (err) => say(err) });
 *   like.toggle();                 // the button
 *   like.like();                   // the double tap: never takes a like away
 *   like.heard(event.record);      // from pb.collection('posts').subscribe(post.id, …)
 *   like.shown();                  // {liked, count, pending}
 *
 * What is shown is what the server last told plus the wish that is still on its
 * way. `post.liked` is the id of my own like or "", so a live count tells by
 * itself whether my like is in it already, and nothing is counted twice.
 */
export function openLike(pb, post, { onChange = () => {}, onError = () => {} } = {}) {
  const truth = { liked: post.liked || '', count: post.likesCount || 0 };
  const options = { requestKey: 'like-' + post.id }; // else the SDK cancels the first of two equal requests
  let wanted = null; // true or false while the person's wish is on its way

  const isLiked = () => truth.liked !== '';

  async function create() {
    // liking what is liked already answers 200 with the stored row
    const row = await pb.collection('likes').create({ post: post.id }, options);
    if (!isLiked()) truth.count++;
    truth.liked = row.id;
  }

  async function remove() {
    await pb.collection('likes').delete(truth.liked, options).catch((err) => {
      if (err.status !== 404) throw err; // gone already: done
    });
    if (isLiked()) truth.count--;
    truth.liked = '';
  }

  async function want(wish) {
    const underWay = wanted !== null;
    wanted = wish;
    onChange();
    if (underWay) return; // one request at a time: the loop below sees the new wish
    try {
      while (wanted !== isLiked()) await (wanted ? create() : remove());
      wanted = null;
    } catch (err) {
      const refused = wanted;
      wanted = null;
      onError(err, refused);
    }
    onChange();
  }

  return {
    shown() {
      const liked = wanted ?? isLiked();
      return { liked, count: Math.max(0, truth.count + Number(liked) - Number(isLiked())), pending: wanted !== null };
    },
    like: () => want(true),
    unlike: () => want(false),
    toggle: () => want(!(wanted ?? isLiked())),

    /** Takes in what the server tells of the post: from a list, a view or a realtime event. */
    heard(record) {
      if (record.liked === undefined && wanted !== null) return; // cannot tell whether my like is counted in it
      truth.liked = record.liked ?? truth.liked;
      truth.count = record.likesCount ?? truth.count;
      onChange();
    },
  };
}
