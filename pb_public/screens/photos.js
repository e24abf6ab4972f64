// The photos of a post, side by side, with the double tap.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { mediaOf } from '../lib/photos.js';
import { Picture } from './picture.js';
import { Sign } from './signs.js';

export function Photos({ post, eager, onDoubleTap }) {
  const frame = useRef(null);
  const strip = useRef(null);
  const lastTap = useRef(null);
  const [at, setAt] = useState(0);
  const [hearts, setHearts] = useState([]);
  const many = post.photos.length > 1;
  const size = mediaOf(post, 0);

  // Set from here, since a strict content policy allows no style attributes.
  const shape = (ratio) => frame.current?.style.setProperty('--ratio', Math.min(2, Math.max(0.75, ratio)).toFixed(4));
  useEffect(() => {
    if (size) shape(size.w / size.h);
    if (/^#[0-9a-f]{6}$/i.test(size?.color ?? '')) frame.current.style.setProperty('--tint', size.color);
  }, [size?.w, size?.h, size?.color]);

  function tapped(event) {
    if (event.target.closest('button')) return;
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

  return html`<div class="frame" ref=${frame} onClick=${tapped}>
    <div class="strip" ref=${strip} onScroll=${many ? scrolled : undefined} tabindex=${many ? 0 : undefined}
        role=${many ? 'group' : undefined} aria-label=${many ? `${post.photos.length} photos` : undefined}>
      ${post.photos.map((name, index) => html`<div class="slide" key=${name}>
        <${Picture} post=${post} index=${index} eager=${eager && index === 0} onSize=${index === 0 && !size ? shape : undefined} /></div>`)}
    </div>
    ${many && html`<p class="slide-number">${at + 1} / ${post.photos.length}</p>
      <button class="turn turn-back" aria-label="Photo before" disabled=${at === 0} onClick=${() => turnTo(at - 1)}><${Sign} name="back" /></button>
      <button class="turn turn-next" aria-label="Next photo" disabled=${at === post.photos.length - 1} onClick=${() => turnTo(at + 1)}><${Sign} name="next" /></button>`}
    ${hearts.map((heart) => html`<span class="pop" key=${heart.key} ref=${place(heart)} aria-hidden="true"
      onAnimationEnd=${(event) => event.target === event.currentTarget && setHearts((all) => all.filter((one) => one !== heart))}>
      <i></i><i></i><${Sign} name="heart" /></span>`)}
  </div>`;
}
