// How the product behaves for me: profile, privacy, notifications, devices, account.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { deviceHere, pushable, subscribe, unsubscribe } from '../lib/push.js';
import { Address, Data, Deletion, Everywhere, Password, Sessions } from './account.js';
import { useDraft } from './drafts.js';
import { useList } from './grid.js';
import { leave } from './leave.js';
import { Avatar, handleOf } from './people.js';
import { Person } from './persons.js';
import { Notifications, Switch, useDevices, useSaving } from './preferences.js';
import { useSession } from './session.js';
import { Ago, Loading, Trouble, useTitle } from './ui.js';

const users = () => pb.collection('users');
const quiet = { requestKey: null };

function ProfileForm() {
  const { user, say } = useSession();
  const [problems, setProblems] = useState({});
  const [draft, change, drop] = useDraft('profile');
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const { handle = user.handle, name = user.name, bio = user.bio } = draft;

  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setProblems({});
    try {
      await users().update(user.id, { handle: handle.trim().replace(/^@/, '').toLowerCase(), name: name.trim(), bio: bio.trim() }, quiet);
      drop({ handle, name, bio });
      say('Your profile is saved.');
    } catch (err) {
      const found = fieldErrors(err);
      setProblems(Object.keys(found).length ? found : { bio: because(err) });
      form.current?.querySelector(`[name=${Object.keys(found)[0] ?? 'bio'}]`)?.focus();
    }
    setBusy(false);
  }
  async function changePhoto(file) {
    if (file === undefined) return;
    try {
      await users().update(user.id, { avatar: file }, quiet);
      say(file ? 'Your new photo is there.' : 'Your photo is taken away.');
    } catch (err) {
      say(fieldErrors(err).avatar ?? because(err));
    }
  }
  const field = (name, label, input) => html`<div class="field"><label for=${'my-' + name}>${label}</label>${input}
    ${problems[name] && html`<p class="problem" id=${`my-${name}-problem`}>${problems[name]}</p>`}</div>`;
  const about = (name, value) => ({ id: 'my-' + name, name, value, onInput: (event) => change({ [name]: event.target.value }), 'aria-invalid': problems[name] ? 'true' : undefined, 'aria-describedby': problems[name] ? `my-${name}-problem` : undefined });

  return html`<div class="settings-face"><${Avatar} user=${user} large />
      <p><input class="visually-hidden" type="file" id="avatar" accept="image/jpeg,image/png,image/webp,image/gif" onChange=${(event) => changePhoto(event.target.files[0])} />
        <label class="button" for="avatar">Change photo</label>
        ${user.avatar && html`<button class="link link-quiet" onClick=${() => changePhoto(null)}>Take away</button>`}</p></div>
    <form ref=${form} class="settings-form" onSubmit=${submit}>
      ${field('handle', 'Handle', html`<input ...${about('handle', handle)} maxlength="31" autocapitalize="none" spellcheck=${false} dir="ltr" />`)}
      ${field('name', 'Name', html`<input ...${about('name', name)} maxlength="255" dir="auto" autocomplete="name" />`)}
      ${field('bio', 'About you', html`<textarea ...${about('bio', bio)} rows="3" maxlength="300" dir="auto"></textarea>`)}
      <p class="kept"><button class="button button-main" disabled=${busy}>Save profile</button>
        ${Object.keys(draft).some((field) => draft[field] !== user[field]) && !busy && html`<button type="button" class="link link-quiet" onClick=${() => { drop(); setProblems({}); }}>Undo my changes</button>`}</p></form>`;
}

function Privacy() {
  const { user } = useSession();
  const [me, change] = useSaving(user, (what) => users().update(user.id, what, quiet));
  return html`<${Switch} label="Private account" hint="Only people you accept see your photos. Who follows you already, stays." on=${me.private} onTurn=${(on) => change({ private: on })} />
    <${Kept} name="blocks" field="blocked" title="Blocked" word="Unblock" none="You have blocked nobody." />
    <${Kept} name="mutes" field="muted" title="Muted" word="Unmute" none="You have muted nobody." />`;
}

/** People on a list of mine, each with the button that takes them off it. */
function Kept({ name, field, title, word, none }) {
  const { say, tieOf } = useSession();
  const list = useList(name, () => openCursor(pb, name, { expand: field, filter: `${field} != ""`, perPage: 100 }));
  const { rows, phase } = list.get();
  async function take(row, person) {
    try {
      await pb.collection(name).delete(row.id, quiet);
      tieOf(person).heard({ ...tieOf(person).shown(), blocking: false, ...(name === 'mutes' && { muting: false }) });
      list.change(row.id, () => null);
    } catch (err) {
      say(because(err));
    }
  }
  const people = rows.filter((row) => row.expand?.[field]);
  return html`<details class="fold"><summary>${title}${phase === 'ready' && people.length > 0 && html` <span class="soft">${people.length}</span>`}</summary>
    ${phase === 'ready' && !people.length && html`<p class="hint">${none}</p>`}
    <ul class="persons">${people.map((row) => html`<${Person} key=${row.id} person=${row.expand[field]}>
      <button class="button" aria-label=${`${word} ${handleOf(row.expand[field])}`} onClick=${() => take(row, row.expand[field])}>${word}</button><//>`)}</ul></details>`;
}

function Devices() {
  const { say } = useSession();
  const list = useDevices();
  const [here, setHere] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => void deviceHere().then(setHere), []);
  const { rows } = list.get();

  async function add() {
    setBusy(true);
    try {
      const device = await subscribe(pb);
      list.add(device);
      setHere(device.id);
    } catch (err) {
      say(err.status === 404 ? 'This server sends no push messages.' : err.status === undefined ? err.message : because(err));
    }
    setBusy(false);
  }
  async function take(row) {
    try {
      await pb.collection('devices').delete(row.id, quiet);
      if (row.id === here) await unsubscribe();
      list.change(row.id, () => null);
    } catch (err) {
      say(because(err));
    }
  }
  return html`<ul class="persons">${rows.map((row) => html`<li class="person" key=${row.id}><div class="person-who"><p><bdi>${row.name || row.kind}</bdi>${row.id === here && ' (this one)'}</p>
      <p class="person-name">${row.lastSeen ? html`last seen <${Ago} at=${row.lastSeen} />` : ''}</p></div><button class="button" onClick=${() => take(row)}>Remove</button></li>`)}</ul>
    ${pushable() && !rows.some((row) => row.id === here) ? html`<p><button class="button" disabled=${busy} onClick=${add}>Push to this device</button></p>` : html`<p class="hint">${pushable() ? '' : 'This browser shows no push messages.'}</p>`}`;
}

export function Settings() {
  const session = useSession();
  useTitle('Settings');
  const [settings, setSettings] = useState(null);
  const [error, setError] = useState(null);
  const [deleting, setDeleting] = useState(false);
  const load = () => {
    setError(null);
    pb.collection('settings').getFirstListItem('', quiet).then(setSettings, setError);
  };
  useEffect(load, []);
  return html`<section class="page page-narrow settings"><h1 class="page-title">Settings</h1>
    <section aria-labelledby="s-profile"><h2 class="section-title" id="s-profile">Profile</h2><${ProfileForm} /></section>
    <section aria-labelledby="s-privacy"><h2 class="section-title" id="s-privacy">Privacy</h2><${Privacy} /></section>
    <section aria-labelledby="s-notify"><h2 class="section-title" id="s-notify">Notifications</h2>
      ${error && html`<${Trouble} what="Your settings" error=${error} onAgain=${load} />`}
      ${!settings && !error && html`<${Loading} what="Your settings" />`}
      ${settings && html`<${Notifications} stored=${settings} />`}</section>
    <section aria-labelledby="s-devices"><h2 class="section-title" id="s-devices">Devices</h2><${Devices} /></section>
    <section aria-labelledby="s-sessions"><h2 class="section-title" id="s-sessions">Where you are signed in</h2><${Sessions} /><${Everywhere} /></section>
    <section aria-labelledby="s-keys"><h2 class="section-title" id="s-keys">Keyboard</h2>
      <p class="hint">On a post: <kbd>L</kbd> likes, <kbd>S</kbd> saves, <kbd>C</kbd> opens its comments, <kbd>J</kbd> and <kbd>K</kbd> go to the next and the one before.</p></section>
    <section aria-labelledby="s-account"><h2 class="section-title" id="s-account">Account</h2>
      <${Address} /><${Password} /><${Data} />
      <p class="settings-end"><button class="button" onClick=${() => leave(session)}>Sign out</button><button class="button button-quiet-danger" onClick=${() => setDeleting(true)}>Delete account</button></p></section>
    ${deleting && html`<${Deletion} onClose=${() => setDeleting(false)} />`}
  </section>`;
}
