// A photo, from its blurred placeholder to its sharpest rendition; and the photos
// of a post, side by side, with the double tap.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { fileToken, isPublic, mediaOf, sourcesOf, squaresOf } from '../lib/photos.js';
import { handleOf } from './people.js';
import { Sign, later } from './ui.js';

const Enlarged = later(() => import('./enlarge.js').then((module) => module.Enlarged));

const SIDE = 20; // pixels; the page stretches them

/** The placeholder that a blurhash describes. */
function Blur({ hash }) {
  const canvas = useRef(null);
  useEffect(() => { // after the page is drawn: the plain colour is there already
    import('../vendor/blurhash.js').then(({ decode }) => {
      const ink = canvas.current.getContext('2d');
      const image = ink.createImageData(SIDE, SIDE);
      image.data.set(decode(hash, SIDE, SIDE));
      ink.putImageData(image, 0, 0);
    }).catch(() => {}); // not a hash, or the photo is there already: it stays as it is
  }, [hash]);
  return html`<canvas ref=${canvas} class="blur" width=${SIDE} height=${SIDE} aria-hidden="true"></canvas>`;
}

export const altOf = (post, index = 0) => (Array.isArray(post.alts) && post.alts[index]) || `Photo by ${handleOf(post.expand?.author)}, not described`;

/**
 * One photo of a post. When it does not load, its renditions may still be in the
 * making or the token may be old, so it is asked for again before giving up.
 */
export function Picture({ post, index = 0, square = false, eager = false, alt = altOf(post, index), sizes = '(min-width: 640px) 600px, 100vw', onSize }) {
  const sources = (token) => (square ? squaresOf(post, token) : sourcesOf(post, index, token));
  const [attempt, setAttempt] = useState(0);
  const [from, setFrom] = useState(() => (isPublic(post) ? sources('') : null));
  const [state, setState] = useState('loading');
  const img = useRef(null);
  const hash = mediaOf(post, index)?.hash;

  useEffect(() => {
    if (attempt === 0 && from) return undefined;
    let current = true;
    fileToken()
      .then((token) => current && setFrom(sources(token)))
      .catch(() => current && setState('failed'));
    return () => (current = false);
  }, [attempt]);

  // a photo from the cache may be there before its load event can be heard
  useLayoutEffect(() => {
    if (img.current?.complete && img.current.naturalWidth) loaded({ currentTarget: img.current });
  }, [from]);

  function loaded({ currentTarget }) {
    setState('shown');
    onSize?.(currentTarget.naturalWidth / currentTarget.naturalHeight);
  }

  function failed() {
    if (attempt >= 3) setState('failed');
    else setTimeout(() => setAttempt(attempt + 1), [0, 1500, 4000][attempt]);
  }

  if (state === 'failed') {
    if (square) return html`<span class="picture picture-none" role=${alt ? 'img' : undefined} aria-label=${alt || undefined}></span>`;
    const again = () => {
      setState('loading');
      setAttempt(attempt + 1);
    };
    return html`<div class="picture-failed"><p>This photo did not load.</p><button class="button" onClick=${again}>Try again</button></div>`;
  }
  return html`${hash && state === 'loading' && html`<${Blur} hash=${hash} />`}
    ${from && html`<img key=${attempt} ref=${img} class=${'picture is-' + state} alt=${alt} loading=${eager ? 'eager' : 'lazy'} decoding="async"
      fetchpriority=${eager ? 'high' : undefined} draggable=${false} sizes=${sizes} srcset=${from.srcset} src=${from.src} onLoad=${loaded} onError=${failed} />`}`;
}

/** The photos of a post; onDoubleTap hears of two taps in one place. */
export function Photos({ post, eager, onDoubleTap }) {
  const frame = useRef(null);
  const strip = useRef(null);
  const lastTap = useRef(null);
  const [at, setAt] = useState(0);
  const [hearts, setHearts] = useState([]);
  const [closer, setCloser] = useState(0); // how close one looks at it, in a dialog of its own
  const many = post.photos.length > 1;
  const size = mediaOf(post, 0);

  // Set from here, since a strict content policy allows no style attributes.
  const shape = (ratio) => frame.current?.style.setProperty('--ratio', Math.min(2, Math.max(0.75, ratio)).toFixed(4));
  useLayoutEffect(() => {
    if (size) shape(size.w / size.h);
  }, [size?.w, size?.h]);
  useLayoutEffect(() => { // what a photo leaves free of the frame has its own colour, not the first one's
    [...strip.current.children].forEach((slide, index) => {
      const color = mediaOf(post, index)?.color ?? '';
      if (/^#[0-9a-f]{6}$/i.test(color)) slide.style.setProperty('--tint', color);
    });
  }, [post.media]);

  function tapped(event) {
    if (event.target.closest('button, dialog')) return;
    const tap = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    const last = lastTap.current;
    lastTap.current = tap;
    if (!last || tap.time - last.time > 350 || Math.hypot(tap.x - last.x, tap.y - last.y) > 40) return;
    lastTap.current = null;
    const box = frame.current.getBoundingClientRect();
    setHearts((all) => [...all, { key: tap.time, x: tap.x - box.left, y: tap.y - box.top }]);
    onDoubleTap();
  }

  const place = (heart) => (el) => {
    el?.style.setProperty('--x', `${heart.x}px`);
    el?.style.setProperty('--y', `${heart.y}px`);
  };
  const turnTo = (index) => strip.current.scrollTo({ left: index * strip.current.clientWidth });
  const scrolled = () => setAt(Math.round(Math.abs(strip.current.scrollLeft) / strip.current.clientWidth));

  return html`<div class="frame" ref=${frame} onClick=${tapped} onTouchStart=${(event) => event.touches.length === 2 && setCloser(2)}>
    <div class="strip" ref=${strip} onScroll=${many ? scrolled : undefined} tabindex=${many ? 0 : undefined}
        role=${many ? 'group' : undefined} aria-label=${many ? `${post.photos.length} photos` : undefined}>
      ${post.photos.map((name, index) => html`<div class="slide" key=${name}>
        <${Picture} post=${post} index=${index} eager=${eager && index === 0} onSize=${index === 0 && !size ? shape : undefined} /></div>`)}
    </div>
    ${many && html`<p class="slide-number">${at + 1} / ${post.photos.length}</p>
      <button class="turn turn-back" aria-label="Photo before" disabled=${at === 0} onClick=${() => turnTo(at - 1)}><${Sign} name="back" /></button>
      <button class="turn turn-next" aria-label="Next photo" disabled=${at === post.photos.length - 1} onClick=${() => turnTo(at + 1)}><${Sign} name="next" /></button>`}
    <button class="turn enlarge" aria-haspopup="dialog" aria-label="Enlarge" title="Enlarge" onClick=${() => setCloser(1)}><${Sign} name="enlarge" /></button>
    ${closer > 0 && html`<${Enlarged} quiet post=${post} index=${at} scale=${closer} onClose=${() => setCloser(0)} />`}
    ${hearts.map((heart) => html`<span class="pop" key=${heart.key} ref=${place(heart)} aria-hidden="true"
      onAnimationEnd=${(event) => event.target === event.currentTarget && setHearts((all) => all.filter((one) => one !== heart))}>
      <i></i><i></i><${Sign} name="heart" /></span>`)}
  </div>`;
}
