// Lists without an end, page by page: a keyset cursor, so that nothing is shown
// twice and nothing is skipped while rows come and go. And how a page holds one,
// and hears that it has changed.

/** @import { Channel, Client, CollectionName, CursorOptions, Cursor, KeysetCursor, ListState } from './shapes' */
/** @import { Collections } from './types' */

/**
 * Opens a list at its beginning.
 *
 *   const comments = openCursor(pb, 'comments', { by: '-created,-id', filter: pb.filter('post = {:id}', { id }) });
 *   while (!comments.done) show(await comments.next());
 *
 * by names the two fields that order the list, both with or both without "-"; the second
 * one decides between equal values of the first, so it must differ in every row.
 * @template {CollectionName} Name
 * @param {Client} pb
 * @param {Name} collection
 * @param {CursorOptions} [options]
 * @returns {KeysetCursor<Collections[Name]>}
 */
export function openCursor(pb, collection, { by = '-created,-id', filter = '', perPage = 30, ...options } = {}) {
  const [first, second] = by.replaceAll('-', '').split(',');
  const than = by.startsWith('-') ? '<' : '>';
  let last = /** @type {any} */ (null); // the last row handed out
  let done = false;

  async function read(/** @type {string} */ where) {
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

/**
 * A cursor as a page holds it: the rows so far, and whether more are on their way.
 *
 *   const list = openList(openCursor(pb, 'posts', …));
 *   list.changes.listen(draw);
 *   list.more();
 *   list.get();   // {rows, phase: 'loading' | 'reading' | 'ready' | 'failed', error}
 * @template {{ id: string }} Row
 * @param {Cursor<Row>} cursor
 */
export function openList(cursor) {
  const changes = channel();
  /** @type {ListState<Row>} */
  const state = { rows: [], phase: '', error: null };
  const set = (/** @type {Partial<ListState<Row>>} */ changed) => {
    Object.assign(state, changed);
    changes.send();
  };
  return {
    changes,
    get: () => state,
    get done() { return cursor.done; },

    async more() {
      if (state.phase === 'loading' || state.phase === 'reading' || cursor.done) return;
      set({ phase: state.rows.length ? 'reading' : 'loading', error: null });
      try {
        const rows = await cursor.next();
        set({ rows: [...state.rows, ...rows.filter((row) => !state.rows.some((one) => one.id === row.id))], phase: 'ready' });
      } catch (error) {
        set({ phase: 'failed', error });
      }
    },

    /** Changes one row, or takes it out when change answers nothing. */
    change: (/** @type {string} */ id, /** @type {(row: Row) => Row | null | undefined} */ change) => set({ rows: state.rows.flatMap((row) => (row.id === id ? (change(row) ?? []) : [row])) }),
    add: (/** @type {Row} */ row) => set({ rows: [row, ...state.rows.filter((one) => one.id !== row.id)] }),
  };
}

/**
 * A list of listeners: send tells them all, listen answers what ends it.
 * @template {unknown[]} [T=[]]
 * @returns {Channel<T>}
 */
export function channel() {
  const listeners = /** @type {Set<(...what: T) => void>} */ (new Set());
  return {
    send: (...what) => listeners.forEach((hear) => hear(...what)),
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}
