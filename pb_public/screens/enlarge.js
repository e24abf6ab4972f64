// A photo as large as the window, and closer: by two fingers, the wheel, two taps, buttons or keys.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { Dialog, useKeys } from './dialog.js';
import { Picture } from './photos.js';
import { Sign } from './ui.js';

const CLOSEST = 6;
const within = (value, least, most) => Math.min(most, Math.max(least, value));

export function Enlarged({ post, index: begun = 0, scale: closer = 1, onClose }) {
  const [index, setIndex] = useState(begun);
  const [scale, setScale] = useState(closer);
  const box = useRef(null);
  const view = useRef({ scale: closer, x: 0, y: 0 }); // x and y from the middle
  const fingers = useRef(new Map()); // by pointer: where it is
  const swipe = useRef(null); // where one finger came down on the whole photo
  const many = post.photos.length > 1;

  function show({ scale: wanted, x, y }) {
    const { clientWidth: width, clientHeight: height } = box.current;
    const now = within(wanted, 1, CLOSEST);
    const [right, low] = [((now - 1) * width) / 2, ((now - 1) * height) / 2];
    view.current = { scale: now, x: within(x, -right, right), y: within(y, -low, low) };
    for (const [name, value] of [['--zoom', now], ['--x', `${view.current.x}px`], ['--y', `${view.current.y}px`]]) box.current.style.setProperty(name, value);
    setScale(now);
  }
  /** Comes closer to a point of the window, which stays where it is. */
  function zoom(by, at) {
    const { left, top, width, height } = box.current.getBoundingClientRect();
    const [px, py] = at ? [at.x - left - width / 2, at.y - top - height / 2] : [0, 0];
    const { scale: before, x, y } = view.current;
    const now = within(before * by, 1, CLOSEST);
    show({ scale: now, x: px - ((px - x) * now) / before, y: py - ((py - y) * now) / before });
  }
  const whole = () => show({ scale: 1, x: 0, y: 0 });
  const pan = (x, y) => show({ ...view.current, x: view.current.x + x, y: view.current.y + y });
  useLayoutEffect(() => show({ scale: index === begun ? closer : 1, x: 0, y: 0 }), [index]);
  useEffect(() => { // not by the template, whose listeners of wheels may not keep the page from scrolling
    const wheeled = (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
    };
    box.current.addEventListener('wheel', wheeled, { passive: false });
    const turned = () => show(view.current);
    addEventListener('resize', turned);
    return () => removeEventListener('resize', turned);
  }, []);

  const turn = (by) => setIndex((now) => within(now + by, 0, post.photos.length - 1));
  const pointOf = (event) => ({ x: event.clientX, y: event.clientY });

  function down(event) {
    if (event.target.closest('button')) return;
    box.current.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, pointOf(event));
    swipe.current = fingers.current.size === 1 && view.current.scale === 1 ? pointOf(event) : null;
  }
  function moved(event) {
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const now = pointOf(event);
    fingers.current.set(event.pointerId, now);
    const other = [...fingers.current].find(([pointer]) => pointer !== event.pointerId)?.[1];
    if (!other) return pan(now.x - before.x, now.y - before.y);
    const apart = (one) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
    return zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }
  function up(event) {
    const from = swipe.current;
    const by = event.clientX - (from?.x ?? event.clientX);
    fingers.current.delete(event.pointerId);
    swipe.current = null;
    if (from && Math.abs(by) > 60 && Math.abs(by) > Math.abs(event.clientY - from.y)) turn(by < 0 ? 1 : -1);
  }
  function tapped(event) {
    if (event.target.closest('button')) return;
    if (view.current.scale > 1) whole();
    else zoom(2.5, pointOf(event));
  }
  function pressed(event) {
    const arrow = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === '+' || event.key === '=') zoom(1.5);
    else if (event.key === '-') zoom(1 / 1.5);
    else if (event.key === '0') whole();
    else if (arrow && scale > 1) pan(arrow[0] * 80, arrow[1] * 80);
    else if (arrow?.[0]) turn(-arrow[0]);
    else return;
    event.preventDefault();
  }
  useKeys('photo', pressed);

  return html`<${Dialog} name="photo" title=${many ? `Photo ${index + 1} of ${post.photos.length}` : 'Photo'} onClose=${onClose}>
    <div class="zoomer" ref=${box} onPointerDown=${down} onPointerMove=${moved} onPointerUp=${up} onPointerCancel=${up} onDblClick=${tapped}>
      <div class="zoomed"><${Picture} key=${index} post=${post} index=${index} eager sizes="100vw" /></div>
      ${many && html`<button class="turn turn-back" aria-label="Photo before" disabled=${index === 0} onClick=${() => turn(-1)}><${Sign} name="back" /></button>
        <button class="turn turn-next" aria-label="Next photo" disabled=${index === post.photos.length - 1} onClick=${() => turn(1)}><${Sign} name="next" /></button>`}
    </div>
    <p class="zoom-tools"><button class="button" disabled=${scale <= 1} onClick=${() => zoom(1 / 1.5)}>Further</button><span role="status">${Math.round(scale * 100)} %</span>
      <button class="button" disabled=${scale >= CLOSEST} onClick=${() => zoom(1.5)}>Closer</button></p><//>`;
}
