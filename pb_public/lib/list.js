// A cursor as a page holds it: the rows so far, and whether more are on their way.

import { channel } from './channel.js';

/**
 *   const list = openList(openCursor(pb, 'posts', …));
 *   list.changes.listen(draw);
 *   list.more();
 *   list.get();   // {rows, phase: 'loading' | 'reading' | 'ready' | 'failed', error}
 */
export function openList(cursor) {
  const changes = channel();
  const state = { rows: [], phase: '', error: null };
  const set = (changed) => {
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
    change: (id, change) => set({ rows: state.rows.flatMap((row) => (row.id === id ? (change(row) ?? []) : [row])) }),
    add: (row) => set({ rows: [row, ...state.rows.filter((one) => one.id !== row.id)] }),
  };
}
