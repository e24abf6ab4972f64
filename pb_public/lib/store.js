// What this device keeps between visits: small JSON values under names, in IndexedDB.

/** @import { Shelf } from './shapes' */

/**
 * Opens the shelf of one person, so that nobody finds what another one left on the same device.
 *
 *   const shelf = openShelf(user.id);
 *   await shelf.put('outbox/1', {…});  await shelf.all('outbox/');  await shelf.clear();
 *
 * Where the browser keeps nothing, as in some private windows, it lasts as long as the page.
 * @param {string} owner
 * @returns {Shelf}
 */
export function openShelf(owner) {
  const inMemory = new Map();
  const at = (/** @type {string} */ name) => `${owner}/${name}`;

  /** @returns {Promise<any>} */
  async function run(/** @type {IDBTransactionMode} */ mode, /** @type {(shelf: IDBObjectStore | null) => any} */ work) {
    const db = await database();
    if (!db) return work(null);
    return new Promise((done, failed) => {
      const request = work(db.transaction('shelf', mode).objectStore('shelf'));
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
  }

  return {
    get: (name) => run('readonly', (shelf) => (shelf ? shelf.get(at(name)) : inMemory.get(name))),
    put: (name, value) => run('readwrite', (shelf) => (shelf ? shelf.put(value, at(name)) : inMemory.set(name, value))),
    drop: (name) => run('readwrite', (shelf) => (shelf ? shelf.delete(at(name)) : inMemory.delete(name))),
    /** Every value whose name begins so, in the order of the names. */
    all: (start) => run('readonly', (shelf) => (shelf
      ? shelf.getAll(IDBKeyRange.bound(at(start), at(start) + '\uffff'))
      : [...inMemory].filter(([name]) => name.startsWith(start)).sort().map(([, value]) => value))),
    clear: () => run('readwrite', (shelf) => (shelf ? shelf.delete(IDBKeyRange.bound(at(''), at('\uffff'))) : inMemory.clear())),
  };
}

let opening = /** @type {Promise<IDBDatabase | null> | null} */ (null);

function database() {
  opening ??= new Promise((done) => {
    const request = globalThis.indexedDB?.open('doubletap', 1);
    if (!request) return done(null);
    request.onupgradeneeded = () => request.result.createObjectStore('shelf');
    request.onsuccess = () => done(request.result);
    request.onerror = () => done(null);
    return undefined;
  });
  return opening;
}
