// What the screens share: drawing again when something changes, the states of a page, time and numbers.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { channel } from '../lib/cursor.js';
import { Sign } from './signs.js';

/** Draws the component again whenever the channel says so, also before it was painted for the first time. */
export function useChannel(of) {
  const [, draw] = useState(0);
  useLayoutEffect(() => of.listen(() => draw((n) => n + 1)), [of]);
}

export function useMedia(query) {
  const [fits, setFits] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setFits(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, [query]);
  return fits;
}

// States of a page -------------------------------------------------------

export const Loading = ({ what = 'This' }) => html`<p class="visually-hidden" role="status">${what} is loading.</p>
  <div class="skeleton" aria-hidden="true"><span class="bone"></span><span class="bone bone-long"></span><span class="bone"></span></div>`;

export const Empty = ({ sign, title, children }) => html`<div class="empty">
  ${sign && html`<${Sign} name=${sign} />`}<h2>${title}</h2>${children}</div>`;

/** Something did not load. What is gone or hidden says so; all else can be tried again. */
export function Trouble({ what, error, gone = 'It is gone, or it is not shared with you.', onAgain }) {
  if (error.status === 404) return html`<div class="empty" role="alert"><${Sign} name="lock" /><h2>Nothing to see</h2><p>${gone}</p></div>`;
  return html`<div class="empty" role="alert"><${Sign} name="cloud" /><h2>${what} did not load</h2><p>${because(error)}</p>
    <button class="button button-main" onClick=${onAgain}>Try again</button></div>`;
}

/** A screen whose module is fetched when it is first shown. */
export function later(load) {
  let Screen = null;
  return function Later(props) {
    const [error, setError] = useState(null);
    const [, draw] = useState(0);
    const get = () => {
      setError(null);
      load().then((found) => {
        Screen = found;
        draw((n) => n + 1);
      }, () => setError({ status: 0 }));
    };
    useEffect(() => void (Screen ?? get()), []);
    if (error) return html`<${Trouble} what="This page" error=${error} onAgain=${get} />`;
    return Screen ? html`<${Screen} ...${props} />` : props.quiet ? null : html`<${Loading} />`;
  };
}

/** Asks for more as the end of a list comes near, and says how it stands. */
export function End({ list, words = '' }) {
  const end = useRef(null);
  const shownOf = ({ posts, rows }) => posts ?? rows;
  const { phase } = list.get();
  const shown = shownOf(list.get());
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => {
      const now = list.get();
      // not for a place that the end had before the newest rows were drawn
      if (entry.isIntersecting && now.phase === 'ready' && shownOf(now) === shown) list.more();
    }, { rootMargin: '1200px' });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [list, shown, phase]);
  return html`<div ref=${end} class="list-end">
    ${phase === 'reading' && html`<p role="status">More is loading…</p>`}
    ${phase === 'failed' && shown.length > 0 && html`<p role="alert">More did not load. <button class="link" onClick=${() => list.more()}>Try again</button></p>`}
    ${phase === 'ready' && shown.length > 0 && list.done && words && html`<p>${words}</p>`}</div>`;
}

// Time -------------------------------------------------------------------

const minute = channel();
setInterval(minute.send, 30_000);
const units = [['year', 31_536_000], ['month', 2_592_000], ['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60]];

function ago(date) {
  const seconds = Math.max(0, (Date.now() - date) / 1000); // a clock behind the server's shows no future
  const [unit, length] = units.find(([, length]) => seconds >= length) ?? [];
  return unit ? `${count(Math.trunc(seconds / length), unit)} ago` : 'just now';
}

export function Ago({ at }) {
  useChannel(minute);
  const date = new Date((at ?? '').replace(' ', 'T'));
  if (Number.isNaN(date.getTime())) return null;
  const exactly = ({ currentTarget }) => (currentTarget.title = date.toLocaleString());
  return html`<time datetime=${date.toISOString()} onPointerEnter=${exactly}>${ago(date)}</time>`;
}

// a browser takes its time to learn the ways of a language, which the first photos need not wait for
let short = null;
export const number = (n) => ((n || 0) < 1000 ? String(n || 0) : (short ??= new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })).format(n));
export const count = (n, one, many = one + 's') => `${number(n)} ${n === 1 ? one : many}`;
