// What lies above a page: dialogs and questions.

import { html, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { Sign } from './ui.js';

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
