// An optimistic yes or no that stays honest: it shows at once, the server has the
// last word, and a refusal puts the truth back and says so.

import { unreachable } from './once.js';

/**
 * Follows one edge of mine, such as a like, a save or the like of a comment.
 *
 *   const save = openEdge(pb, 'saves', { post: post.id }, { id: post.saved, onChange: draw, onError: say });
 *   save.toggle();  save.want(true);   // wanting what is there already does no harm
 *   save.shown();                      // {on, count, pending, queued}
 *   save.heard({ id, count });         // from a list or an event
 *
 * What is shown is what the server last told plus the wish that is still on its
 * way. The id of my edge tells whether it is counted already, so nothing is
 * counted twice. With an outbox, a wish without a connection waits there instead of failing.
 */
export function openEdge(pb, collection, ends, { id = '', count = 0, outbox, onChange = () => {}, onError = () => {} } = {}) {
  const key = [collection, ...Object.values(ends)].join('/');
  const options = { requestKey: key }; // else the SDK cancels the first of two equal requests
  const truth = { id, count };
  let wish = null; // the one being sent

  const isOn = () => truth.id !== '';
  const kept = () => outbox?.waiting(key)?.wanted ?? null; // the one that waits for a connection
  const wanted = () => wish ?? kept();
  const keep = (to) => outbox.keep({ key, collection, ends, wanted: to });

  function stored(row) {
    if (!isOn()) truth.count++;
    truth.id = row.id;
  }

  function removed() {
    if (isOn()) truth.count--;
    truth.id = '';
  }

  // creating what is there already answers 200 with the stored row
  const create = () => pb.collection(collection).create(ends, options).then(stored);
  const remove = () => pb.collection(collection).delete(truth.id, options).catch((err) => {
    if (err.status !== 404) throw err; // gone already: done
  }).then(removed);

  async function want(to) {
    if (kept() !== null) {
      keep(to);
      onChange();
      return;
    }
    const underWay = wish !== null;
    wish = to;
    onChange();
    if (underWay) return; // one request at a time: the loop below sees the new wish
    let refusal = null;
    try {
      while (wish !== isOn()) await (wish ? create() : remove());
    } catch (err) {
      if (outbox && unreachable(err)) keep(wish);
      else refusal = { err, wish };
    }
    wish = null;
    onChange();
    if (refusal) onError(refusal.err, refusal.wish);
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
