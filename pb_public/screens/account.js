// The account itself: password, data, end.

import { html, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb, signOut } from '../lib/api.js';
import { gather } from '../lib/export.js';
import { Dialog } from './dialog.js';
import { useSession } from './session.js';

const users = () => pb.collection('users');
const quiet = { requestKey: null };

export function Password() {
  const { user } = useSession();
  const [problem, setProblem] = useState('');
  const form = useRef(null);
  async function submit(event) {
    event.preventDefault();
    const { oldPassword, password } = Object.fromEntries(new FormData(form.current));
    setProblem('');
    try {
      await users().update(user.id, { oldPassword, password, passwordConfirm: password }, quiet);
      signOut('Your password is changed. Please sign in with it.'); // the change has ended every session, this one too
    } catch (err) {
      const { oldPassword: old, password: fresh } = fieldErrors(err);
      setProblem(old ? 'The present password is not right.' : fresh ?? because(err));
    }
  }
  return html`<details class="fold"><summary>Change password</summary><form ref=${form} class="settings-form fold-body" onSubmit=${submit}>
    <input class="visually-hidden" type="text" autocomplete="username" value=${user.handle} readonly tabindex="-1" aria-hidden="true" />
    <div class="field"><label for="old-password">Present password</label><input id="old-password" name="oldPassword" type="password" autocomplete="current-password" required /></div>
    <div class="field"><label for="new-password">New password</label><input id="new-password" name="password" type="password" autocomplete="new-password" minlength="8" required /></div>
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    <button class="button">Change password</button></form></details>`;
}

export function Data() {
  const { say } = useSession();
  const [share, setShare] = useState(null);
  async function download() {
    setShare(0);
    try {
      const url = URL.createObjectURL(new Blob([JSON.stringify(await gather(pb, setShare), null, 2)], { type: 'application/json' }));
      Object.assign(document.createElement('a'), { href: url, download: 'doubletap.json' }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (err) {
      say(because(err));
    }
    setShare(null);
  }
  return html`<p><button class="button" disabled=${share !== null} onClick=${download}>${share === null ? 'Download my data' : `Gathering… ${Math.round(share * 100)} %`}</button></p>
    <p class="hint">Everything you wrote, liked and saved, as a JSON file.</p>`;
}

export function Deletion({ onClose }) {
  const { user, shelf } = useSession();
  const [typed, setTyped] = useState('');
  const [password, setPassword] = useState(null); // asked for when the sign-in was too long ago
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    try {
      await users().delete(user.id, password ? { ...quiet, body: { password } } : quiet);
      await shelf.clear().catch(() => {}); // the account is gone all the same
      signOut('Your account is deleted.');
    } catch (err) {
      const missing = fieldErrors(err).password;
      if (missing) setPassword((given) => given ?? '');
      setProblem(!missing ? because(err) : password ? 'This is not your password.' : 'You signed in a while ago. Give your password, or sign out and in again.');
      setBusy(false);
    }
  }
  return html`<${Dialog} name="small" title="Delete your account?" onClose=${onClose} busy=${busy}><form class="sheet" onSubmit=${submit}>
    <p>Your photos, comments, likes and everything else of yours are erased. Your handle is not given to anybody else. This cannot be undone.</p>
    <div class="field"><label for="sure">Type your handle, <bdi>${user.handle}</bdi>, to go on</label><input id="sure" autocomplete="off" autocapitalize="none" spellcheck=${false} dir="ltr" value=${typed} onInput=${(event) => setTyped(event.target.value)} /></div>
    ${password !== null && html`<div class="field"><label for="sure-password">Password</label><input id="sure-password" type="password" autocomplete="current-password" value=${password} onInput=${(event) => setPassword(event.target.value)} /></div>`}
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    <p class="sheet-end"><button type="button" class="button" disabled=${busy} onClick=${onClose}>Keep it</button>
      <button class="button button-danger" disabled=${busy || typed.trim() !== user.handle}>Delete my account</button></p></form><//>`;
}
