// Where we are, behind the # of the address; and what a page held when one comes back to it.

import { useLayoutEffect, useState } from '../vendor/preact.js';
import { openList } from '../lib/cursor.js';

export const paths = {
  home: '#/',
  search: (q = '') => (q ? `#/search/${encodeURIComponent(q)}` : '#/search'),
  post: (id, comment = '') => `#/p/${id}${comment && `/${comment}`}`,
  person: (user, list = '') => `#/@${user.handle ?? user}${list && `/${list}`}`,
  tag: (name) => `#/tags/${encodeURIComponent(name)}`,
  saved: '#/saved',
  requests: '#/requests',
  settings: '#/settings',
  moderation: '#/moderation',
};

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const here = () => location.hash.replace(/^#\/?/, '').split('/').map(decoded);

let before = ''; // the place that a link led away from

/** Goes to a place; above it nothing is open any more, and Back leads to where one was before a dialog was opened. */
export function goTo(path) {
  if (location.hash.replace(/^#\/?$/, '#/').replace(/^$/, '#/') === path) return;
  if (history.state?.over) location.replace(path);
  else location.hash = path;
}

/** Leaves a place that lies above another one. */
export function leaveTo(path) {
  if (before === path) history.back();
  else location.replace(path);
}

/** The parts of the address, and whether one came back to it; onNew hears of places that one goes to. */
export function usePlace(onNew) {
  const [place, setPlace] = useState(() => ({ parts: here(), hash: location.hash, back: false }));
  useLayoutEffect(() => { // a link may be followed before the page was ever painted
    if (history.state?.over) history.go(-history.state.over); // loaded anew with a dialog open, which is so no more
    else history.replaceState({ seen: true }, '');
    const moved = ({ oldURL }) => {
      const back = Boolean(history.state?.seen); // an entry made by a link has no state yet
      if (!back) {
        history.replaceState({ seen: true }, '');
        onNew(location.hash);
      }
      before = back ? '' : new URL(oldURL).hash;
      setPlace({ parts: here(), hash: location.hash, back });
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

const PLACES = 12;

/** Lists, other values and scroll positions of the last few places: going back finds them as they were. */
export function openKept() {
  const places = new Map(); // by hash: {lists, values, top}
  const at = (hash) => {
    const place = places.get(hash) ?? { lists: new Map(), values: new Map(), top: 0 };
    places.delete(hash);
    places.set(hash, place); // the newest is last
    if (places.size > PLACES) places.delete(places.keys().next().value);
    return place;
  };
  return {
    /** The list of a name at this place, opened unless it is kept. */
    list(name, open) {
      const { lists } = at(location.hash);
      if (!lists.has(name)) lists.set(name, openList(open()));
      return lists.get(name);
    },
    /** What else a place wants to find again, such as whose profile it shows. */
    value: (name) => at(location.hash).values.get(name),
    keep: (name, value) => at(location.hash).values.set(name, value),
    forget: (hash) => places.delete(hash),
    scrolled: (hash, top) => places.has(hash) && (places.get(hash).top = top),
    top: (hash) => at(hash).top,
    /** Whatever list holds the row: change it there, or take it out. */
    change(id, change) {
      for (const { lists } of places.values()) for (const list of lists.values()) list.change(id, change);
    },
  };
}
