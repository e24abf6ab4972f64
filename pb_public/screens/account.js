// The account itself: address, password, sessions, data, end.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb, signOut } from '../lib/api.js';
import { gather } from '../lib/export.js';
import { Confirm, Dialog } from './dialog.js';
import { useSession } from './session.js';
import { Ago } from './ui.js';

const users = () => pb.collection('users');
const quiet = { requestKey: null };

export function Address() {
  const { user } = useSession();
  const [told, setTold] = useState('');
  const [problem, setProblem] = useState('');
  const form = useRef(null);
  async function tell(words, ask) {
    setProblem('');
    setTold('');
    try {
      await ask();
      setTold(words);
    } catch (err) {
      setProblem(fieldErrors(err).newEmail ? 'This address cannot be used. Give another one.' : because(err));
    }
  }
  const again = () => tell(`A link is on its way to ${user.email}. Nothing there after a few minutes? Look among the unwanted mail.`, () => users().requestVerification(user.email, quiet));
  function submit(event) {
    event.preventDefault();
    const { newEmail } = Object.fromEntries(new FormData(form.current));
    tell(`A link is on its way to ${newEmail.trim()}. Your address changes when you open it there.`, () => users().requestEmailChange(newEmail.trim(), quiet).then(() => form.current.reset()));
  }
  return html`<details class="fold"><summary>Mail address <span class="soft"><bdi>${user.email}</bdi>${user.verified ? '' : ', not confirmed'}</span></summary><div class="fold-body settings-form">
    ${told && html`<p class="notice" role="status">${told}</p>`}${problem && html`<p class="notice" role="alert">${problem}</p>`}
    ${!user.verified && html`<p class="hint">Confirm that this address is yours: it gets you back in when you forget your password.</p><button class="button" onClick=${again}>Mail me a link</button>`}
    <form ref=${form} class="settings-form" onSubmit=${submit}>
      <div class="field"><label for="new-email">New mail address</label><input id="new-email" name="newEmail" type="email" autocomplete="email" dir="ltr" required aria-describedby="new-email-hint" />
        <p class="hint" id="new-email-hint">It asks for your password when you open the link. Then every device is signed out.</p></div>
      <button class="button">Change address</button></form></div></details>`;
}

/** Where I am signed in, each place with the button that signs me out there. */
export function Sessions() {
  const { say } = useSession();
  const [rows, setRows] = useState([]);
  useEffect(() => void pb.send('/api/v1/sessions', quiet).then(({ items }) => setRows(items), (err) => say(because(err))), []);
  async function end(row) {
    try {
      await pb.send(`/api/v1/sessions/${row.id}`, { ...quiet, method: 'DELETE' });
    } catch (err) {
      if (err.status !== 404) return say(because(err)); // it has ended by itself
    }
    setRows((all) => all.filter(({ id }) => id !== row.id));
  }
  return html`<ul class="persons">${rows.map((row) => html`<li class="person" key=${row.id}><div class="person-who"><p><bdi>${row.device}</bdi>${row.current && ' (this one)'}</p>
    <p class="person-name">${row.address && html`from <bdi>${row.address}</bdi>, `}last used <${Ago} at=${row.lastSeen} /></p></div>
    ${!row.current && html`<button class="button" aria-label=${`Sign out ${row.device}`} onClick=${() => end(row)}>Sign out</button>`}</li>`)}</ul>`;
}

/** Signing out of every device, this one too. */
export function Everywhere() {
  const { shelf, outbox } = useSession();
  const [asking, setAsking] = useState(false);
  async function leave() {
    await pb.send('/api/v1/logout-everywhere', { method: 'POST', requestKey: null });
    if (!outbox.size) await shelf.clear().catch(() => {});
    signOut('You are signed out on every device.', { good: true });
  }
  return html`<p><button class="button" onClick=${() => setAsking(true)}>Sign out everywhere</button></p>
    ${asking && html`<${Confirm} title="Sign out everywhere?" action="Sign out everywhere" onDo=${leave} onClose=${() => setAsking(false)}>Every browser and phone is signed out, this one too, and gets no messages until you sign in there again.<//>`}`;
}

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
      signOut('Your password is changed. Please sign in with it.', { good: true }); // the change has ended every session, this one too
    } catch (err) {
      const { oldPassword: old, password: fresh } = fieldErrors(err);
      setProblem(old ?? fresh ?? because(err));
    }
  }
  return html`<details class="fold"><summary>Change password</summary><form ref=${form} class="settings-form fold-body" onSubmit=${submit}>
    <input class="visually-hidden" type="text" autocomplete="username" value=${user.handle} readonly tabindex="-1" aria-hidden="true" />
    <div class="field"><label for="old-password">Present password</label><input id="old-password" name="oldPassword" type="password" autocomplete="current-password" required /></div>
    <div class="field"><label for="new-password">New password</label><input id="new-password" name="password" type="password" autocomplete="new-password" minlength="8" required /></div>
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    <p class="settings-end"><button class="button">Change password</button><a class="link link-quiet" href="#/forgot">You forgot it, or never had one?</a></p></form></details>`;
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
      signOut('Your account is deleted.', { good: true });
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
