// Everything a signed-in page works with, opened once for a person.

import { createContext, useContext } from '../vendor/preact.js';
import { because, checkSession, pb } from '../lib/api.js';
import { channel } from '../lib/cursor.js';
import { openEdge, openLike, openTie } from '../lib/edge.js';
import { feedStore } from '../lib/feed.js';
import { openLive } from '../lib/live.js';
import { openOutbox } from '../lib/outbox.js';
import { openShelf } from '../lib/store.js';
import { openKept, paths } from './router.js';

/** {user, begun, live, feed, outbox, likeOf, saveOf, tieOf, kept, say, …}; see openSession. */
export const Session = createContext(null);
export const useSession = () => useContext(Session);

/** One follower of each thing, wherever it is shown, so that two places never disagree. */
function shared(open) {
  const all = new Map();
  return (thing) => {
    if (!all.has(thing.id)) {
      const changes = channel();
      all.set(thing.id, { ...open(thing, changes.send), changes });
    }
    return all.get(thing.id);
  };
}

export function openSession(user) {
  const liveChanges = channel();
  const outboxChanges = channel();
  const words = channel();
  const say = words.send;
  const shelf = openShelf(user.id);
  const feed = feedStore(pb, { shelf });
  const begun = feed.more(); // at once: everything else can wait for it
  const outbox = openOutbox(pb, shelf, { onChange: outboxChanges.send });

  /** Whether somebody looks at it already: in the tray, on the page of the post, or at the heart that fills. */
  const isSeen = (row) => document.querySelector('.dialog-tray[open]') || (row.post && location.hash.startsWith(paths.post(row.post))) || (row.type === 'like' && live.watches(row.post));

  const live = openLive(pb, {
    onChange: liveChanges.send,
    async onNews(row) {
      const { sentence } = await import('./sentence.js');
      if (!isSeen(row)) say(`${sentence(row).join(' ').trim()}.`, { sign: /like$/.test(row.type) ? 'heart' : 'bell', group: row.id });
    },
    onFeed: (action, row) => feed.heard(action, row),
    onRefused: checkSession,
    onConnect() {
      checkSession(); // an ended session closes the stream, so this is when one hears of it
      feed.check();
      outbox.flush();
    },
  });

  const gone = (err) => err.status === 400 || err.status === 404;
  const likeOf = shared((post, onChange) => openLike(pb, post, {
    onChange, outbox,
    onError(err, desired) {
      say(gone(err) ? 'This photo cannot be liked any more.' : `Your ${desired ? 'like' : 'unlike'} did not go through. ${because(err)}`);
      if (gone(err)) live.catchUp(); // is it still there?
    },
  }));
  const saveOf = shared((post, onChange) => openEdge(pb, 'saves', { post: post.id }, {
    id: post.saved || '', onChange, outbox,
    onError: (err) => say(gone(err) ? 'This photo cannot be saved any more.' : `That did not go through. ${because(err)}`),
  }));
  const tieOf = shared((person, onChange) => openTie(pb, person, { onChange }));

  return { user, begun, live, liveChanges, feed, outbox, outboxChanges, shelf, likeOf, saveOf, tieOf, kept: openKept(), say, words };
}
