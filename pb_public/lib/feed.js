// The home feed, page by page: a keyset cursor over `feed`, so that no post is
// shown twice and none is skipped while new ones arrive.

/**
 * Opens a feed at its newest post.
 *
 *   const feed = openFeed(pb);
 *   while (!feed.done) show(await feed.next());
 *
 * A row is {id, at, post, author, expand: {post: {…, expand: {author}}}}.
 */
export function openFeed(pb, { perPage = 30 } = {}) {
  let cursor = null; // the last row handed out
  let done = false;

  const read = async (filter) => {
    const page = await pb.collection('feed').getList(1, perPage, {
      sort: '-at,-post',
      skipTotal: true, // counting costs more than reading the page
      expand: 'post.author',
      filter,
      requestKey: null, // two pages may be on their way at once
    });
    return page.items;
  };

  return {
    /** Whether the oldest post has been handed out. */
    get done() {
      return done;
    },

    /** The next rows, older than all before. When it fails, calling it again asks for the same ones. */
    async next() {
      const older = cursor
        ? pb.filter('at <= {:c} && (at < {:c} || post < {:p})', { c: cursor.at, p: cursor.post })
        : '';
      const rows = await read(older);
      cursor = rows.at(-1) ?? cursor;
      done = rows.length < perPage;
      return rows;
    },

    /** The newest rows, whatever the cursor: what to look at after a reconnect. */
    newest: () => read(''),
  };
}
