// A photo of a post, from its blurred placeholder to its sharpest rendition.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { decode } from '../vendor/blurhash.js';
import { fileToken, isPublic, mediaOf, sourcesOf, squaresOf } from '../lib/photos.js';
import { handleOf } from './people.js';

const SIDE = 20; // pixels; the page stretches them

/** The placeholder that a blurhash describes. */
function Blur({ hash }) {
  const canvas = useRef(null);
  useEffect(() => { // after the page is drawn: the plain colour is there already
    try {
      const ink = canvas.current.getContext('2d');
      const image = ink.createImageData(SIDE, SIDE);
      image.data.set(decode(hash, SIDE, SIDE));
      ink.putImageData(image, 0, 0);
    } catch {} // not a hash: it stays plain
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
