// What the screens share: drawing again when something changes, the states and the title of a page, time and numbers, and the signs
// on buttons.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because, line, pb } from '../lib/api.js';
import { channel } from '../lib/cursor.js';

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

let unseen = 0;
let screen = '';
const entitle = () => (document.title = `${unseen ? `(${unseen}) ` : ''}${screen && `${screen} · `}Doubletap`);

/** The news that the title of the page counts. */
export function countInTitle(n) {
  unseen = n;
  entitle();
}

/** What the page is called while the component is shown. */
export function useTitle(words) {
  useLayoutEffect(() => {
    screen = words;
    entitle();
    return () => {
      screen = '';
      entitle();
    };
  }, [words]);
}

// States of a page -------------------------------------------------------

export const Loading = ({ what = 'This' }) => html`<p class="visually-hidden" role="status">${what} is loading.</p>
  <div class="skeleton" aria-hidden="true"><span class="bone"></span><span class="bone bone-long"></span><span class="bone"></span></div>`;

export const Empty = ({ sign, title, children }) => html`<div class="empty">
  ${sign && html`<${Sign} name=${sign} />`}<h2>${title}</h2>${children}</div>`;

/** Tries again by itself what failed for want of an answer: when there is a line again, and now and then. */
export function useAgain(error, again) {
  const latest = useRef(again);
  latest.current = again;
  const passing = Boolean(error) && (!error.status || error.status >= 500);
  useEffect(() => {
    if (!passing) return undefined;
    const back = () => navigator.onLine && latest.current();
    const end = line.changes.listen(() => line.answers && back());
    const timer = setInterval(back, 15_000);
    addEventListener('online', back);
    return () => {
      end();
      clearInterval(timer);
      removeEventListener('online', back);
    };
  }, [passing]);
  return passing;
}

/** Something did not load. What is gone or hidden says so; all else can be tried again, and is when there is a line again. */
export function Trouble({ what, error, gone = 'It is gone, or it is not shared with you.', onAgain }) {
  const passing = useAgain(error, onAgain);
  if (error.status === 404) return html`<div class="empty" role="alert"><${Sign} name="lock" /><h2>Nothing to see</h2><p>${gone}</p></div>`;
  return html`<div class="empty" role="alert"><${Sign} name="cloud" /><h2>${what} did not load</h2><p>${because(error)}${passing && ' It is tried again by itself.'}</p>
    <button class="button button-main" onClick=${onAgain}>Try again</button></div>`;
}

/** A browser remembers that a module did not come until the page is loaded anew, which helps only when somebody answers; and once. */
async function loadAnew() {
  const name = 'doubletap-loaded-anew';
  await pb.health.check({ requestKey: null }).catch(() => {});
  if (!line.answers || Date.now() - Number(sessionStorage.getItem(name)) < 60_000) return;
  sessionStorage.setItem(name, Date.now());
  location.reload();
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
    if (error) return html`<${Trouble} what="This page" error=${error} onAgain=${loadAnew} />`;
    return Screen ? html`<${Screen} ...${props} />` : props.quiet ? null : html`<${Loading} />`;
  };
}

/** Asks for more as the end of a list comes near, and says how it stands. */
export function End({ list, words = '' }) {
  const end = useRef(null);
  const shownOf = ({ posts, rows }) => posts ?? rows;
  const { phase, error } = list.get();
  useAgain(phase === 'failed' && error, () => list.more());
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
export function number(n) {
  if (!(n >= 1000)) return String(n || 0);
  short ??= new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
  return short.format(n);
}
export const count = (n, one, many = one + 's') => `${number(n)} ${n === 1 ? one : many}`;

// Signs ------------------------------------------------------------------

const heart = 'M12 20.6 4.3 13a5.2 5.2 0 0 1 0-7.4 5.2 5.2 0 0 1 7.4 0l.3.3.3-.3a5.2 5.2 0 0 1 7.4 7.4Z';
const signs = {
  heart: html`<path d=${heart} />`,
  home: html`<path d="M4 11.2 12 4l8 7.2V19a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 19Z" /><path d="M9.5 20.3V15h5v5.3" />`,
  search: html`<circle cx="11" cy="11" r="6.8" /><path d="m16.2 16.2 4.3 4.3" />`,
  people: html`<circle cx="9" cy="8" r="3.6" /><path d="M2.5 20c0-3.8 2.9-6 6.5-6s6.5 2.2 6.5 6" /><path d="M16 4.7a3.6 3.6 0 0 1 0 6.6M18.3 14.6c2 .9 3.2 2.8 3.2 5.4" />`,
  enlarge: html`<path d="M9.5 4.5h-5v5M14.5 4.5h5v5M9.5 19.5h-5v-5M14.5 19.5h5v-5" />`,
  pause: html`<path d="M8.5 5.5v13M15.5 5.5v13" />`,
  play: html`<path d="M8 5.5v13l10-6.5Z" />`,
  plus: html`<rect x="3.5" y="3.5" width="17" height="17" rx="5" /><path d="M12 8.2v7.6M8.2 12h7.6" />`,
  bell: html`<path d="M18.3 15.8V10.5a6.3 6.3 0 0 0-12.6 0v5.3L4 18.2h16Z" /><path d="M9.8 18.4a2.3 2.3 0 0 0 4.4 0" />`,
  comment: html`<path d="M20.5 11.6c0 4.2-3.8 7.6-8.5 7.6-1.2 0-2.4-.2-3.4-.6L4 20l1.3-3.8a7.2 7.2 0 0 1-1.8-4.6C3.5 7.4 7.3 4 12 4s8.5 3.4 8.5 7.6Z" />`,
  bookmark: html`<path d="M6.5 4h11A1.5 1.5 0 0 1 19 5.5V20.5l-7-5-7 5V5.5A1.5 1.5 0 0 1 6.5 4Z" />`,
  share: html`<path d="M12 14.5V3.8M8 7.5l4-4 4 4M5 12.5V19a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19v-6.5" />`,
  dots: html`<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3" />`,
  gear: html`<path d="M4 7h9M17.5 7H20M4 17h2.5M11 17h9" /><circle cx="15.2" cy="7" r="2.3" /><circle cx="8.8" cy="17" r="2.3" />`,
  photos: html`<rect x="7" y="3.5" width="13.5" height="13.5" rx="3" /><path d="M17 20.5H6.5a3 3 0 0 1-3-3V7" />`,
  cloud: html`<path d="M7 18.5h10.5a4 4 0 0 0 .6-7.9 6 6 0 0 0-11.5-1A4.5 4.5 0 0 0 7 18.5ZM4 4l16 16" />`,
  hash: html`<path d="M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h15.5M4 15h15.5" />`,
  close: html`<path d="m6 6 12 12M18 6 6 18" />`,
  back: html`<path d="M14.5 5.5 8 12l6.5 6.5" />`,
  next: html`<path d="M9.5 5.5 16 12l-6.5 6.5" />`,
  check: html`<path d="m5 12.5 4.7 4.7L19 7.5" />`,
  clock: html`<circle cx="12" cy="12" r="8.3" /><path d="M12 7.5V12l3 2" />`,
  shield: html`<path d="M12 3.8 19 6.5v5c0 4.3-2.9 7.4-7 8.9-4.1-1.5-7-4.6-7-8.9v-5Z" />`,
  lock: html`<rect x="5" y="10.5" width="14" height="9.5" rx="2.5" /><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />`,
};

export const Sign = ({ name }) =>
  html`<svg class=${'sign sign-' + name} viewBox="0 0 24 24" aria-hidden="true" focusable="false">${signs[name]}</svg>`;

/** The mark of the product: a heart and its echo, the second tap. */
export const Mark = () => html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path class="mark-echo" d=${heart} /><path class="mark-heart" transform="translate(4.8 4.72) scale(0.6)" d=${heart} />
</svg>`;
