// A device's picture of its person's notifications, kept as the contract tells clients to keep it.

/** Follows notifications live; with catchUp, also asks for what was missed whenever it is connected again. */
export async function openTray(pb, { catchUp = true } = {}) {
  const rows = new Map();
  const gone = new Map();
  const watchers = new Set();
  const errors = [];
  let connections = 0;
  let last = 0; // seq heard on this connection
  let seq = 0; // all up to here is known, however much is heard of what came later

  // the SDK reads an answer that broke off in the middle as an empty one
  pb.afterSend = (response, data) => {
    if (response.status === 200 && Object.keys(data).length === 0) throw new TypeError('the answer broke off');
    return data;
  };

  function put(row) {
    if ((gone.get(row.id) ?? 0) >= row.seq || (rows.get(row.id)?.seq ?? 0) > row.seq) return;
    rows.set(row.id, row);
  }
  function retract(id, at) {
    gone.set(id, Math.max(at, gone.get(id) ?? 0));
    if ((rows.get(id)?.seq ?? Infinity) <= at) rows.delete(id);
  }
  const after = (collection) => pb.collection(collection).getFullList({ filter: `seq > ${seq}`, sort: 'seq', batch: 200 });

  async function ask() {
    const changed = await after('notifications'); // first: what is retracted meanwhile is found by the second
    const retracted = await after('retractions');
    for (const row of [...changed, ...retracted].sort((a, b) => a.seq - b.seq)) {
      if (row.notification) retract(row.notification, row.seq);
      else put(row);
    }
    seq = Math.max(seq, changed.at(-1)?.seq ?? 0);
    watchers.forEach((look) => look());
  }

  const heard = [];
  await pb.collection('notifications').subscribe('*', ({ action, record }) => {
    heard.push({ action, id: record.id, seq: record.seq });
    if (action === 'delete') {
      retract(record.id, rows.get(record.id)?.seq ?? 0); // done once more, it comes back under its id with a higher seq
    } else {
      if (record.seq <= last) errors.push(`seq ${record.seq} came after ${last}`);
      last = record.seq;
      put(record);
    }
    watchers.forEach((look) => look());
  });
  await pb.realtime.subscribe('PB_CONNECT', () => {
    connections++;
    last = 0;
    if (catchUp) ask().catch(() => {}); // cut again: the next connection asks again
  });

  return {
    ask, heard, errors,
    get connections() { return connections; },
    state: () => [...rows.values()].map(picture).sort((a, b) => (a.id < b.id ? -1 : 1)),
    async until(condition, what) {
      await new Promise((met, missed) => {
        const timer = setTimeout(() => missed(new Error(`waited in vain for ${what}: ${JSON.stringify(heard.slice(-5))}`)), 20_000);
        const look = () => {
          if (!condition([...rows.values()])) return;
          clearTimeout(timer);
          watchers.delete(look);
          met();
        };
        watchers.add(look);
        look();
      });
    },
  };
}

/** What two devices must agree on about a notification. */
export const picture = ({ id, type, post, actors, actorsCount, comment, read, latestAt, seq }) => ({ id, type, post, actors, actorsCount, comment, read, latestAt, seq });
