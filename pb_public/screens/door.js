// What the pages share on which nobody needs to be signed in: their frame, and the fields of their forms.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors } from '../lib/api.js';
import { Mark } from './ui.js';

export function Door({ title, lead, children }) {
  const head = useRef(null);
  useLayoutEffect(() => {
    document.title = `${title} · Doubletap`;
  }, [title]);
  const first = useRef(true);
  useEffect(() => { // who goes on by a button hears where they are
    if (!first.current) head.current.focus();
    first.current = false;
  }, [title]);
  return html`<div class="door">
    <div class="door-art" aria-hidden="true"><${Mark} /></div>
    <main class="door-form" id="main">
      <p class="brand brand-large"><${Mark} />doubletap</p>
      <h1 ref=${head} tabindex="-1">${title}</h1>
      ${lead && html`<p class="lead">${lead}</p>`}
      ${children}
    </main>
  </div>`;
}

export function Field({ name, label, hint, error, children }) {
  const about = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${children({ id: name, name, required: true, 'aria-describedby': about || undefined, 'aria-invalid': error ? 'true' : undefined })}
    ${hint && html`<p class="hint" id=${name + '-hint'}>${hint}</p>`}
    ${error && html`<p class="problem" id=${name + '-error'}>${error}</p>`}
  </div>`;
}

export const Email = ({ error, value, label = 'E-mail', name = 'email' }) => html`<${Field} name=${name} label=${label} error=${error}>
  ${(field) => html`<input ...${field} type="email" autocomplete="email" dir="ltr" defaultValue=${value} />`}<//>`;

/** A password that can be looked at; fresh is one that is being chosen. */
export function Password({ name = 'password', label = 'Password', fresh, error }) {
  const [plain, setPlain] = useState(false);
  return html`<${Field} name=${name} label=${label} hint=${fresh && 'At least 8 characters.'} error=${error}>${(field) => html`<div class="password">
    <input ...${field} type=${plain ? 'text' : 'password'} autocomplete=${fresh ? 'new-password' : 'current-password'} autocapitalize="none" spellcheck=${false} />
    <button type="button" aria-pressed=${plain} aria-label="Show password" onClick=${() => setPlain(!plain)}>${plain ? 'Hide' : 'Show'}</button>
  </div>`}<//>`;
}

/** A form of the door: send gets what was typed, and throws what the server refuses. refused may turn that into words: {field: words}, or one sentence. */
export function DoorForm({ action, send, refused = () => null, novalidate, children }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [problems, setProblems] = useState({});
  const form = useRef(null);
  useEffect(() => form.current?.querySelector('[aria-invalid]')?.focus(), [problems]);
  async function submit(event) {
    event.preventDefault();
    setProblem('');
    setProblems({});
    setBusy(true);
    try {
      await send(Object.fromEntries(new FormData(form.current)));
    } catch (err) {
      const told = refused(err) ?? fieldErrors(err);
      const shown = typeof told === 'object' && Object.keys(told).some((name) => form.current?.elements[name]);
      setProblems(shown ? told : {});
      setProblem(typeof told === 'string' ? told : shown ? '' : because(err));
    }
    setBusy(false);
  }
  return html`<form ref=${form} onSubmit=${submit} novalidate=${novalidate}>
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    ${children(problems)}
    <button class="button button-main button-wide" disabled=${busy} aria-busy=${busy}>${busy ? 'One moment…' : action}</button>
  </form>`;
}
