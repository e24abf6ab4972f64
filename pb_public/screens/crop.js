// The frame in which a photo is cut: drag or arrow keys move it, the slider comes closer.

import { html, useLayoutEffect, useRef } from '../vendor/preact.js';
import { part } from '../lib/crop.js';

const ratios = [['Whole', 0], ['Square', 1], ['4:5', 0.8], ['16:9', 16 / 9]];

/** photo is {url, width, height, shape}; shape is null for the whole photo, else {ratio, zoom, x, y} as lib/crop.js takes it. */
export function Crop({ photo, index, disabled, onShape }) {
  const canvas = useRef(null);
  const image = useRef(null);
  const drag = useRef(null);
  const { width, height, shape } = photo;
  const seen = shape ? part({ width, height }, shape) : { x: 0, y: 0, w: width, h: height };

  useLayoutEffect(() => {
    let current = true;
    const draw = () => {
      if (!current || !canvas.current) return;
      const scale = Math.min(1, 900 / Math.max(seen.w, seen.h));
      canvas.current.width = Math.max(1, Math.round(seen.w * scale));
      canvas.current.height = Math.max(1, Math.round(seen.h * scale));
      canvas.current.getContext('2d').drawImage(image.current, seen.x, seen.y, seen.w, seen.h, 0, 0, canvas.current.width, canvas.current.height);
    };
    if (image.current) draw();
    else {
      image.current = new Image();
      image.current.onload = draw;
      image.current.src = photo.url;
    }
    return () => (current = false);
  }, [photo.url, seen.x, seen.y, seen.w, seen.h]);

  const inside = (n) => Math.min(1, Math.max(0, n));
  function move(dx, dy) {
    const [roomX, roomY] = [width - seen.w, height - seen.h];
    onShape({ ...shape, x: roomX > 1 ? inside(shape.x - dx / roomX) : 0.5, y: roomY > 1 ? inside(shape.y - dy / roomY) : 0.5 });
  }
  function moved(event) {
    if (!drag.current || !shape) return;
    const scale = seen.w / canvas.current.clientWidth;
    move((event.clientX - drag.current.x) * scale, (event.clientY - drag.current.y) * scale);
    drag.current = { x: event.clientX, y: event.clientY };
  }
  function grab(event) {
    if (!shape || disabled) return;
    drag.current = { x: event.clientX, y: event.clientY };
    canvas.current.setPointerCapture(event.pointerId);
  }
  function pressed(event) {
    const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step || !shape) return;
    event.preventDefault();
    move((step[0] * seen.w) / 20, (step[1] * seen.h) / 20);
  }

  return html`<div class="crop">
    <canvas ref=${canvas} class=${shape ? 'crop-view is-movable' : 'crop-view'} role="img" tabindex=${shape ? 0 : undefined} aria-label=${`Photo ${index + 1} as it will be seen${shape ? '; arrow keys move it' : ''}`}
      onPointerDown=${grab} onPointerMove=${moved} onPointerUp=${() => (drag.current = null)} onPointerCancel=${() => (drag.current = null)} onKeyDown=${pressed}></canvas>
    <div class="crop-tools"><div class="segments" role="group" aria-label=${`Shape of photo ${index + 1}`}>${ratios.map(([word, ratio]) => html`<button type="button" key=${word} disabled=${disabled}
      aria-pressed=${(shape?.ratio ?? 0) === ratio} onClick=${() => onShape(ratio ? { ratio, zoom: 1, x: 0.5, y: 0.5 } : null)}>${word}</button>`)}</div>
    ${shape && html`<label class="zoom"><span>Closer</span><input type="range" min="1" max="4" step="0.05" disabled=${disabled} value=${shape.zoom} onInput=${(event) => onShape({ ...shape, zoom: Number(event.target.value) })} /></label>`}</div>
  </div>`;
}
