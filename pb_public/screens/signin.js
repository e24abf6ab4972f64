// The door: sign in, or make an account.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, lastWords, pb, signIn, signUp } from '../lib/api.js';
import { Mark } from './ui.js';

const handleShape = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/;

function Field({ name, label, hint, error, children }) {
  const about = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${children({ id: name, name, required: true, 'aria-describedby': about || undefined, 'aria-invalid': error ? 'true' : undefined })}
    ${hint && html`<p class="hint" id=${name + '-hint'}>${hint}</p>`}
    ${error && html`<p class="problem" id=${name + '-error'}>${error}</p>`}
  </div>`;
}

function Password({ field, autocomplete }) {
  const [plain, setPlain] = useState(false);
  return html`<div class="password">
    <input ...${field} type=${plain ? 'text' : 'password'} autocomplete=${autocomplete} autocapitalize="none" spellcheck=${false} />
    <button type="button" aria-pressed=${plain} aria-label="Show password" onClick=${() => setPlain(!plain)}>${plain ? 'Hide' : 'Show'}</button>
  </div>`;
}

export function SignIn() {
  const [isNew, setNew] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(lastWords());
  const [problems, setProblems] = useState({});
  const form = useRef(null);

  // the reason may come a moment after the session has ended
  useLayoutEffect(() => pb.authStore.onChange(() => setProblem(lastWords())), []);

  useEffect(() => {
    document.title = isNew ? 'Create an account · Doubletap' : 'Sign in · Doubletap';
  }, [isNew]);

  useEffect(() => form.current.querySelector('[aria-invalid]')?.focus(), [problems]);

  function turn(to) {
    setNew(to);
    setProblem('');
    setProblems({});
  }

  /** What can be said without asking the server. */
  function check({ handle, password }) {
    const found = {};
    if (handle.length < 3 || handle.length > 30) found.handle = 'A handle has 3 to 30 characters.';
    else if (!handleShape.test(handle)) found.handle = 'Use the letters a–z, digits, _ and single dots inside.';
    if (password.length < 8) found.password = 'Use at least 8 characters.';
    return found;
  }

  async function submit(event) {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(form.current));
    const handle = (said.handle ?? '').trim().replace(/^@/, '').toLowerCase();
    const found = isNew ? check({ handle, password: said.password }) : {};
    setProblem('');
    setProblems(found);
    if (Object.keys(found).length) return;

    setBusy(true);
    try {
      if (isNew) await signUp({ handle, email: said.email.trim(), password: said.password });
      else await signIn(said.identity.replace(/^@/, ''), said.password); // app.js hears of the new session
    } catch (err) {
      const refused = fieldErrors(err);
      setProblems(isNew ? refused : {});
      const told = isNew && ['handle', 'email', 'password'].some((name) => refused[name]);
      const wrong = !isNew && err.status === 400;
      setProblem(wrong ? 'This handle or e-mail and password do not belong together.' : told ? 'Please look at the marked fields.' : because(err));
      setBusy(false);
    }
  }

  return html`<div class="door">
    <div class="door-art" aria-hidden="true"><${Mark} /></div>
    <main class="door-form" id="main">
      <p class="brand brand-large"><${Mark} />doubletap</p>
      <h1>${isNew ? 'Make yourself at home' : 'Welcome back'}</h1>
      <p class="lead">Photos from people you know. Tap twice when one stays with you.</p>
      <form ref=${form} onSubmit=${submit} novalidate=${isNew}>
        ${problem && html`<p class="notice" role="alert">${problem}</p>`}
        ${isNew
          ? html`
            <${Field} key="handle" name="handle" label="Handle" hint="How people find you. Small letters, digits, dots and _." error=${problems.handle}>
              ${(field) => html`<input ...${field} type="text" autocomplete="nickname" autocapitalize="none" spellcheck=${false} maxlength="31" dir="ltr" />`}<//>
            <${Field} key="email" name="email" label="E-mail" error=${problems.email}>
              ${(field) => html`<input ...${field} type="email" autocomplete="email" dir="ltr" />`}<//>
            <${Field} key="new" name="password" label="Password" hint="At least 8 characters." error=${problems.password}>
              ${(field) => html`<${Password} field=${field} autocomplete="new-password" />`}<//>`
          : html`
            <${Field} key="identity" name="identity" label="Handle or e-mail">
              ${(field) => html`<input ...${field} type="text" autocomplete="username" autocapitalize="none" spellcheck=${false} dir="ltr" />`}<//>
            <${Field} key="current" name="password" label="Password">
              ${(field) => html`<${Password} field=${field} autocomplete="current-password" />`}<//>`}
        <button class="button button-main button-wide" disabled=${busy} aria-busy=${busy}>
          ${busy ? 'One moment…' : isNew ? 'Create account' : 'Sign in'}</button>
      </form>
      <p class="door-turn">${isNew ? 'Here before?' : 'New here?'}
        <button type="button" class="link" onClick=${() => turn(!isNew)}>${isNew ? 'Sign in' : 'Create an account'}</button></p>
    </main>
  </div>`;
}
