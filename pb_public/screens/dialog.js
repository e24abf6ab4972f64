// What lies above a page: dialogs, questions, menus.

import { html, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { Sign } from './signs.js';

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

/** A question before something that cannot be undone. */
export function Confirm({ title, children, deed, onDo, onClose }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  async function go() {
    setBusy(true);
    try {
      await onDo();
      onClose();
    } catch (err) {
      setProblem(because(err));
      setBusy(false);
    }
  }
  return html`<${Dialog} name="small" title=${title} onClose=${onClose} busy=${busy}><div class="sheet">
    <p>${children}</p>${problem && html`<p class="notice" role="alert">${problem}</p>`}
    <p class="sheet-end"><button class="button" disabled=${busy} onClick=${onClose}>Cancel</button>
      <button class="button button-danger" disabled=${busy} onClick=${go}>${deed}</button></p></div><//>`;
}

/** A button with deeds behind it: [{word, onClick, danger}]. Arrow keys move, Escape closes. */
export function Menu({ label, deeds }) {
  const [open, setOpen] = useState(false);
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
    ${open && html`<div class="menu-list" role="menu" aria-label=${label}>${deeds.filter(Boolean).map(({ word, onClick, danger }) => html`<button type="button" role="menuitem" tabindex="-1"
      class=${danger ? 'menu-deed is-danger' : 'menu-deed'} key=${word} onClick=${() => { close(); onClick(); }}>${word}</button>`)}</div>`}</div>`;
}
