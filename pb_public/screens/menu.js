// A menu: what else one can do with a thing.

import { html, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { Sign } from './ui.js';

/** A button with actions behind it: [{word, onClick, danger}]. Arrow keys move, Escape closes. */
export function Menu({ label, actions, opened = false }) {
  const [open, setOpen] = useState(opened);
  const box = useRef(null);
  useLayoutEffect(() => {
    if (!open) return undefined;
    box.current.querySelector('[role=menuitem]')?.focus();
    const outside = (event) => box.current.contains(event.target) || setOpen(false);
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, [open]);

  function pressed(event) {
    const items = [...box.current.querySelectorAll('[role=menuitem]')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (open && step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    else if (open && event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function close() {
    setOpen(false);
    box.current.querySelector('button').focus();
  }
  const left = (event) => open && event.relatedTarget && !box.current.contains(event.relatedTarget) && setOpen(false);

  return html`<div class="menu" ref=${box} onKeyDown=${pressed} onFocusOut=${left}>
    <button type="button" class="icon-button" aria-label=${label} aria-haspopup="menu" aria-expanded=${open} onClick=${() => setOpen(!open)}><${Sign} name="dots" /></button>
    ${open && html`<div class="menu-list" role="menu" aria-label=${label}>${actions.filter(Boolean).map(({ word, onClick, danger }) => html`<button type="button" role="menuitem" tabindex="-1"
      class=${danger ? 'menu-action is-danger' : 'menu-action'} key=${word} onClick=${() => { close(); onClick(); }}>${word}</button>`)}</div>`}</div>`;
}
