// What people reported, and what is done about it. Only moderators come here; the server asks again.

import { html, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { decide, openQueue } from '../lib/queue.js';
import { Dialog } from './dialog.js';
import { useDraft } from './drafts.js';
import { useList } from './grid.js';
import { handleOf } from './people.js';
import { reasons } from './report.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { Ago, Empty, End, Loading, Sign, Trouble, count, useTitle } from './ui.js';

const states = [['open', 'Open'], ['upheld', 'Upheld'], ['dismissed', 'Dismissed']];
const settles = { dismiss: 'dismissed', hide: 'upheld', suspend: 'upheld' };

/** What may be done about a report, as {action, word, about}. */
function decisionsAbout(item, me) {
  const { comment, post, user, state } = item;
  const [content, what] = comment ? [comment, 'comment'] : [post, 'post'];
  const who = handleOf(user);
  return user?.id === me ? [] : [
    state === 'open' && { action: 'dismiss', word: 'Dismiss', about: 'Nothing is done, and those who reported it are told so.' },
    content && (content.hidden
      ? { action: 'unhide', word: `Show the ${what} again`, about: 'Everybody who may see it sees it again.' }
      : { action: 'hide', word: `Hide the ${what}`, about: 'Only its author sees it from now on, and is told.' }),
    user?.state === 'active' && user.role !== 'moderator' && { action: 'suspend', word: `Suspend ${who}`, about: 'The account is signed out everywhere, and nothing of it can be seen.' },
    user?.state === 'suspended' && { action: 'unsuspend', word: `Lift the suspension of ${who}`, about: 'The account and all of it can be seen again.' },
  ].filter(Boolean);
}

/** The item when that was done to it. */
function after(item, action) {
  const hidden = { hide: true, unhide: false }[action];
  const [what, state] = [item.comment ? 'comment' : 'post', { suspend: 'suspended', unsuspend: 'active' }[action]];
  return { ...item, ...(hidden !== undefined && { [what]: { ...item[what], hidden } }), ...(state && { user: { ...item.user, state } }) };
}

function Decision({ item, decision, onDone, onClose }) {
  const [{ note = '' }, change, drop] = useDraft(`decision/${item.id}/${decision.action}`);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    try {
      await decide(pb, item.id, decision.action, note.trim());
      drop();
      onDone();
    } catch (err) {
      setProblem(Object.values(fieldErrors(err))[0] ?? because(err));
      setBusy(false);
    }
  }
  return html`<${Dialog} name="small" title=${`${decision.word}?`} onClose=${onClose} busy=${busy}><form class="sheet" onSubmit=${submit}>
    <p>${decision.about}</p>
    <div class="field"><label for="decision-note">Note for other moderators (optional)</label>
      <textarea id="decision-note" rows="3" maxlength="2000" dir="auto" value=${note} onInput=${(event) => change({ note: event.target.value })}></textarea></div>
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    <p class="sheet-end"><button type="button" class="button" disabled=${busy} onClick=${onClose}>Cancel</button>
      <button class=${decision.action === 'hide' || decision.action === 'suspend' ? 'button button-danger' : 'button button-main'} disabled=${busy}>${decision.word}</button></p></form><//>`;
}

/** Somebody by the signed address of the face, which works for moderators alone. */
const Who = ({ person }) => (person
  ? html`<span class="who">${person.avatar && html`<img class="avatar" src=${person.avatar} alt="" width="34" height="34" />`}<a class="handle" href=${paths.person(person)}><bdi>${handleOf(person)}</bdi></a>
    ${person.state !== 'active' && html`<span class="mark-state">${person.state}</span>`}${person.role === 'moderator' && html`<span class="mark-state">moderator</span>`}</span>`
  : html`<span class="soft">somebody who is gone</span>`);

function Subject({ item: { comment, post, user } }) {
  if (!comment && !post && !user) return html`<p class="hint">What was reported is there no more.</p>`;
  return html`<div class="case-subject">
    ${comment && html`<blockquote class="case-said" dir="auto">${comment.text || 'This comment was deleted.'}</blockquote>`}
    ${post && html`${comment && html`<p class="hint">under this post by <${Who} person=${post.author} /></p>`}
      <div class="case-photos">${post.photos.map((photo, index) => html`<a key=${index} href=${photo.url} target="_blank" rel="noreferrer" aria-label=${`Photo ${index + 1}, large: ${photo.alt || 'not described'}`}><img src=${photo.thumb} alt="" width="160" height="160" loading="lazy" /></a>`)}</div>
      ${post.caption && html`<p class="case-words" dir="auto">${post.caption}</p>`}
      <p class="hint">${[post.visibility !== 'public' && `for ${post.visibility === 'private' ? 'the author alone' : 'followers'}`, post.place].filter(Boolean).map((word) => html`<bdi>${word}</bdi> · `)}<${Ago} at=${post.created} /></p>`}
    ${!comment && !post && html`${user.name && html`<p><bdi>${user.name}</bdi></p>`}${user.bio && html`<p class="case-words" dir="auto">${user.bio}</p>`}`}</div>`;
}

const verbs = { dismiss: 'dismissed it', hide: 'hid it', unhide: 'showed it again', suspend: 'suspended the account', unsuspend: 'lifted the suspension' };

function Case({ item, onDecided }) {
  const { user } = useSession();
  const [decision, setDecision] = useState(null);
  const { comment, post } = item;
  const [what, content] = comment ? ['Comment', comment] : post ? ['Post', post] : ['Account', null];
  const decisions = decisionsAbout(item, user.id);
  return html`<article class="case" aria-label=${`${what} of ${handleOf(item.user)}, ${count(item.reports, 'report')}`}>
    <header class="case-head"><h2>${what}</h2> <${Who} person=${item.user} />${content?.hidden && html`<span class="mark-state"><${Sign} name="lock" />hidden</span>`}
      <span class="case-when"><${Ago} at=${item.created} /></span></header>
    <${Subject} item=${item} />
    <div class="case-report"><p><b>${reasons[item.reason] ?? (item.reason || 'No reason given')}</b> <span class="soft">${item.reports > 1 && `${count(item.reports, 'report')}, the first `}by <${Who} person=${item.reporter} /></span></p>
      ${item.note && html`<p class="case-words" dir="auto">${item.note}</p>`}</div>
    ${item.history.length > 0 && html`<details class="fold"><summary>Earlier decisions <span class="soft">${item.history.length}</span></summary>
      <ol class="case-history">${item.history.map((entry, index) => html`<li key=${index}>${entry.actor === `users/${user.id}` ? 'You' : 'A moderator'} ${verbs[entry.action] ?? entry.action} <span class="soft"><${Ago} at=${entry.at} /></span>
        ${entry.after?.note && html`<p class="hint" dir="auto">${entry.after.note}</p>`}</li>`)}</ol></details>`}
    <div class="case-actions">${decisions.map((one) => html`<button class=${one.action === 'hide' || one.action === 'suspend' ? 'button button-quiet-danger' : 'button'} key=${one.action} onClick=${() => setDecision(one)}>${one.word}</button>`)}
      ${!decisions.length && html`<p class="hint">Nobody decides about themselves: this is for another moderator.</p>`}</div>
    ${decision && html`<${Decision} item=${item} decision=${decision} onClose=${() => setDecision(null)} onDone=${() => { setDecision(null); onDecided(decision); }} />`}
  </article>`;
}

function Cases({ state }) {
  const { say } = useSession();
  const list = useList(`queue/${state}`, () => openQueue(pb, state));
  const { rows, phase, error } = list.get();
  function decided(item, { action }) {
    const moved = settles[action] && settles[action] !== state;
    list.change(item.id, (now) => (moved ? null : after(now, action)));
    say(moved ? `Done. It is among the ${settles[action]} now.` : 'Done.');
  }
  return html`
    ${(phase === 'loading' || phase === '') && html`<${Loading} what="The queue" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The queue" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && list.done && !rows.length && html`<${Empty} sign="shield" title=${state === 'open' ? 'Nothing waits' : 'Nothing here'}><p>${state === 'open' ? 'What people report comes here, the oldest first.' : 'What is decided comes here.'}</p><//>`}
    <div class="cases">${rows.map((item) => html`<${Case} key=${item.id} item=${item} onDecided=${(decision) => decided(item, decision)} />`)}</div>
    <${End} list=${list} />`;
}

export function Moderation({ state }) {
  useTitle('Moderation');
  const chosen = states.some(([name]) => name === state) ? state : 'open';
  return html`<section class="page page-narrow moderation"><h1 class="page-title">Moderation</h1>
    <nav class="tabs" aria-label="Which reports">${states.map(([name, word]) => html`<a key=${name} href=${`${paths.moderation}/${name}`} aria-current=${name === chosen ? 'page' : undefined}>${word}</a>`)}</nav>
    <${Cases} key=${chosen} state=${chosen} /></section>`;
}
