// Lists without an end, page by page: a keyset cursor, so that nothing is shown
// twice and nothing is skipped while rows come and go.

/**
 * Opens a list at its beginning.
 *
 *   const comments = openCursor(pb, 'comments', { by: '-created,-id', filter: pb.filter('post = {:id}', { id }) });
 *   while (!comments.done) show(await comments.next());
 *
 * by names the two fields that order the list, both with or both without "-"; the second
 * one decides between equal values of the first, so it must differ in every row.
 */
export function openCursor(pb, collection, { by = '-created,-id', filter = '', perPage = 30, ...options } = {}) {
  const [first, second] = by.replaceAll('-', '').split(',');
  const than = by.startsWith('-') ? '<' : '>';
  let last = null; // the last row handed out
  let done = false;

  async function read(where) {
    const page = await pb.collection(collection).getList(1, perPage, {
      sort: by,
      skipTotal: true, // counting costs more than reading the page
      filter: [filter && `(${filter})`, where].filter(Boolean).join(' && '),
      requestKey: null, // two pages may be on their way at once
      ...options,
    });
    return page.items;
  }

  return {
    /** Whether the last row has been handed out. */
    get done() {
      return done;
    },

    /** The rows that follow. When it fails, calling it again asks for the same ones. */
    async next() {
      const after = last
        ? pb.filter(`${first} ${than}= {:a} && (${first} ${than} {:a} || ${second} ${than} {:b})`, { a: last[first], b: last[second] })
        : '';
      const rows = await read(after);
      last = rows.at(-1) ?? last;
      done = rows.length < perPage;
      return rows;
    },

    /** The first page as it is now, wherever the cursor stands: what to look at after a reconnect. */
    start: () => read(''),
  };
}
