// What lies above a page: dialogs and questions. Each has an entry in the history, so that Back closes it.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { goTo } from './router.js';
import { Sign } from './ui.js';

const open = []; // functions that close the dialogs which are open, the lowest first; false when one has to stay

/** Back and a link close what is open above their place. */
addEventListener('popstate', () => {
  const over = history.state?.over ?? 0;
  while (open.length > over) {
    if (open.at(-1)() === false) return history.pushState({ ...history.state, over: open.length }, '');
    open.pop();
  }
  return agree();
});

/** Leaves the entries of dialogs that are closed, also those to which somebody went forward. */
function agree() {
  const over = history.state?.over ?? 0;
  if (over > open.length) history.go(open.length - over);
}

/**
 * A dialog that holds the keyboard while open; Escape, the cross, Back and a click beside it close it.
 * One that is a place of its own, which its address opens and closes, is not over another one.
 */
export function Dialog({ name, title, onClose, children, busy = false, place = false }) {
  const dialog = useRef(null);
  const stays = useRef(busy);
  stays.current = busy;
  const ended = useRef(false);
  useLayoutEffect(() => {
    const shown = dialog.current;
    const shut = () => !stays.current && shown.close();
    shown.showModal();
    if (!place) {
      open.push(shut);
      history.pushState({ ...history.state, seen: true, over: open.length }, '');
    }
    return () => {
      ended.current = true; // by whoever shows it, who need not hear of it
      if (open.includes(shut)) open.splice(open.indexOf(shut), 1);
      queueMicrotask(agree); // after whatever leads to another place
      shown.close(); // gives the focus back to where it came from
    };
  }, []);
  const close = (event) => {
    event?.preventDefault();
    if (!busy) dialog.current.close();
  };
  function followed(event) {
    const link = event.target.closest('a[href^="#"]');
    if (!link || place || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(link.hash);
  }
  return html`<dialog ref=${dialog} class=${'dialog dialog-' + name} aria-labelledby=${name + '-title'} onClose=${() => ended.current || onClose()} onCancel=${close} onClick=${followed}
      onMouseDown=${(event) => event.target === dialog.current && close(event)}>
    <div class="dialog-inside">
      <header class="dialog-head"><h2 id=${name + '-title'}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" disabled=${busy} onClick=${close}><${Sign} name="close" /></button></header>
      ${children}
    </div>
  </dialog>`;
}

/** Keys for a dialog as a whole, wherever in it the focus is, while no other one lies above it. */
export function useKeys(name, pressed) {
  const latest = useRef(pressed);
  latest.current = pressed;
  useEffect(() => {
    const heard = (event) => {
      const [top] = [...document.querySelectorAll('dialog[open]')].slice(-1);
      if (top?.classList.contains(`dialog-${name}`) && !event.ctrlKey && !event.metaKey && !event.altKey) latest.current(event);
    };
    addEventListener('keydown', heard);
    return () => removeEventListener('keydown', heard);
  }, []);
}

/** A question before something that cannot be undone. */
export function Confirm({ title, children, action, onDo, onClose }) {
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
    <p class="sheet-end"><button type="button" class="button" disabled=${busy} onClick=${onClose}>Cancel</button>
      <button type="button" class="button button-danger" disabled=${busy} onClick=${go}>${action}</button></p></div><//>`;
}
