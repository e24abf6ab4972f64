// What the screens share: small parts, and the words around people and time.

import { html, createContext, useContext, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { pb, fileToken, isPublic, photoURL } from '../lib/api.js';

/** What a signed-in page has: {user, live, feed, likeOf, say}. Opened in app.js. */
export const Session = createContext(null);
export const useSession = () => useContext(Session);

/** A list of listeners: send tells them all, listen answers what ends it. */
export function channel() {
  const listeners = new Set();
  return {
    send: (...what) => listeners.forEach((hear) => hear(...what)),
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}

/** Draws the component again whenever the channel says so. */
export function useChannel(of) {
  const [, draw] = useState(0);
  useEffect(() => of.listen(() => draw((n) => n + 1)), [of]);
}

// People -----------------------------------------------------------------

export const handleOf = (user) => user?.handle || user?.name || 'someone';

export function Avatar({ user }) {
  const name = handleOf(user);
  const [broken, setBroken] = useState(false);
  if (user?.avatar && !broken) {
    const src = pb.files.getURL(user, user.avatar, { thumb: '100x100' });
    return html`<img class="avatar" src=${src} alt="" width="40" height="40" onError=${() => setBroken(true)} />`;
  }
  const shade = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
  return html`<span class=${'avatar avatar-' + shade} aria-hidden="true">${[...name][0]?.toUpperCase()}</span>`;
}

// Time -------------------------------------------------------------------

const minute = channel();
setInterval(minute.send, 30_000);
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

function ago(date) {
  const seconds = Math.min(0, (date - Date.now()) / 1000); // a clock behind the server's shows no future
  for (const [unit, length] of [['year', 31_536_000], ['month', 2_592_000], ['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60]]) {
    if (-seconds >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return 'just now';
}

export function Ago({ at }) {
  useChannel(minute);
  const date = new Date(at.replace(' ', 'T'));
  if (Number.isNaN(date.getTime())) return null;
  return html`<time datetime=${date.toISOString()} title=${date.toLocaleString()}>${ago(date)}</time>`;
}

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
export const count = (n, one, many = one + 's') => `${short.format(n)} ${n === 1 ? one : many}`;

// Photos -----------------------------------------------------------------

/** Width and height of a post's photo, once the server has looked at it. */
export function sizeOf(post, index) {
  const media = Array.isArray(post.media) ? post.media[index] : null;
  return media?.w > 0 && media?.h > 0 ? media : null;
}

function sourcesOf(post, index, token, square) {
  const name = post.photos[index];
  if (square) return { src: photoURL(post, name, '100x100', token) };
  const known = sizeOf(post, index);
  const size = known ?? { w: 4, h: 5 }; // else a guess of the shape
  const widths = new Map();
  for (const edge of [320, 640, 1080, 1920]) {
    const longer = known ? Math.min(edge, Math.max(size.w, size.h)) : edge; // never enlarged
    const width = Math.round((longer * size.w) / Math.max(size.w, size.h));
    if (!widths.has(width)) widths.set(width, photoURL(post, name, `${edge}x${edge}f`, token));
  }
  return {
    src: photoURL(post, name, '640x640f', token),
    srcset: [...widths].map(([width, url]) => `${url} ${width}w`).join(', '),
    sizes: '(min-width: 640px) 600px, 100vw',
  };
}

/**
 * One photo of a post. When it does not load, its renditions may still be in the
 * making or the token may be old, so it is asked for again before giving up.
 */
export function Picture({ post, index = 0, square = false, eager = false, onSize }) {
  const [attempt, setAttempt] = useState(0);
  const [sources, setSources] = useState(() => (isPublic(post) ? sourcesOf(post, index, '', square) : null));
  const [state, setState] = useState('loading');
  const img = useRef(null);
  const alt = (Array.isArray(post.alts) && post.alts[index]) || `Photo by ${handleOf(post.expand?.author)}, not described`;

  useEffect(() => {
    if (attempt === 0 && sources) return undefined;
    let current = true;
    fileToken()
      .then((token) => current && setSources(sourcesOf(post, index, token, square)))
      .catch(() => current && setState('failed'));
    return () => (current = false);
  }, [attempt]);

  // a photo from the cache may be there before its load event can be heard
  useEffect(() => {
    if (img.current?.complete && img.current.naturalWidth) loaded({ currentTarget: img.current });
  }, [sources]);

  function loaded({ currentTarget }) {
    setState('shown');
    onSize?.(currentTarget.naturalWidth / currentTarget.naturalHeight);
  }

  function failed() {
    if (attempt >= 3) setState('failed');
    else setTimeout(() => setAttempt(attempt + 1), [0, 1500, 4000][attempt]);
  }

  if (state === 'failed') {
    if (square) return html`<span class="picture picture-none" aria-hidden="true"></span>`;
    const again = () => {
      setState('loading');
      setAttempt(attempt + 1);
    };
    return html`<div class="picture-failed"><p>This photo did not load.</p><button class="button" onClick=${again}>Try again</button></div>`;
  }
  return sources && html`<img key=${attempt} ref=${img} class=${'picture is-' + state} alt=${square ? '' : alt}
    loading=${eager ? 'eager' : 'lazy'} decoding="async" draggable=${false} sizes=${sources.sizes} srcset=${sources.srcset} src=${sources.src}
    onLoad=${loaded} onError=${failed} />`;
}

// Signs ------------------------------------------------------------------

const heart = 'M12 20.6 4.3 13a5.2 5.2 0 0 1 0-7.4 5.2 5.2 0 0 1 7.4 0l.3.3.3-.3a5.2 5.2 0 0 1 7.4 7.4Z';
const signs = {
  heart: html`<path d=${heart} />`,
  home: html`<path d="M4 11.2 12 4l8 7.2V19a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 19Z" /><path d="M9.5 20.3V15h5v5.3" />`,
  people: html`<circle cx="9" cy="8" r="3.6" /><path d="M2.5 20c0-3.8 2.9-6 6.5-6s6.5 2.2 6.5 6" /><path d="M16 4.7a3.6 3.6 0 0 1 0 6.6M18.3 14.6c2 .9 3.2 2.8 3.2 5.4" />`,
  plus: html`<rect x="3.5" y="3.5" width="17" height="17" rx="5" /><path d="M12 8.2v7.6M8.2 12h7.6" />`,
  bell: html`<path d="M18.3 15.8V10.5a6.3 6.3 0 0 0-12.6 0v5.3L4 18.2h16Z" /><path d="M9.8 18.4a2.3 2.3 0 0 0 4.4 0" />`,
  close: html`<path d="m6 6 12 12M18 6 6 18" />`,
  back: html`<path d="M14.5 5.5 8 12l6.5 6.5" />`,
  next: html`<path d="M9.5 5.5 16 12l-6.5 6.5" />`,
  check: html`<path d="m5 12.5 4.7 4.7L19 7.5" />`,
  lock: html`<rect x="5" y="10.5" width="14" height="9.5" rx="2.5" /><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />`,
};

export const Sign = ({ name }) =>
  html`<svg class=${'sign sign-' + name} viewBox="0 0 24 24" aria-hidden="true" focusable="false">${signs[name]}</svg>`;

/** The mark: a heart and its echo, the second tap. */
export const Mark = () => html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path class="mark-echo" d=${heart} /><path class="mark-heart" transform="translate(4.8 4.72) scale(0.6)" d=${heart} />
</svg>`;

/** A dialog that holds the keyboard while open; Escape, the cross and a click beside it close it. */
export function Dialog({ name, title, onClose, children, busy = false }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const open = dialog.current;
    open.showModal();
    return () => open.close(); // gives the focus back to where it came from
  }, []);
  const close = (event) => {
    event?.preventDefault();
    if (!busy) dialog.current.close();
  };
  return html`<dialog ref=${dialog} class=${'dialog dialog-' + name} aria-labelledby=${name + '-title'} onClose=${onClose} onCancel=${close}
      onMouseDown=${(event) => event.target === dialog.current && close(event)}>
    <div class="dialog-inside">
      <header class="dialog-head"><h2 id=${name + '-title'}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" disabled=${busy} onClick=${close}><${Sign} name="close" /></button></header>
      ${children}
    </div>
  </dialog>`;
}
