// The tray: what happened while you were away, and what happens now.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { Ago, Avatar, Dialog, Mark, Picture, Sign, handleOf, useSession } from './ui.js';

const deeds = {
  like: 'liked your photo',
  comment: 'commented on your photo',
  reply: 'replied to your comment',
  comment_like: 'liked your comment',
  mention: 'mentioned you',
  follow: 'started following you',
  follow_request: 'asked to follow you',
  follow_accepted: 'accepted your request to follow',
  order: 'There is news about your order',
  system: 'There is a message from Doubletap',
};

/** The people of a notification, newest first; who is out of sight is missing. */
function actorsOf(row) {
  const byId = new Map([row.expand?.actors ?? []].flat().map((actor) => [actor.id, actor]));
  return [row.actors ?? []].flat().map((id) => byId.get(id)).filter(Boolean);
}

/** Who did it and what: ["bob and 3 others", "liked your photo"]. */
export function sentence(row) {
  const deed = deeds[row.type] ?? 'did something new';
  if (row.type === 'order' || row.type === 'system') return ['', deed];
  const names = actorsOf(row).map(handleOf);
  const all = Math.max(row.actorsCount || 0, names.length, 1);
  const first = names[0] ?? 'Someone';
  if (all === 1) return [first, deed];
  if (all === 2 && names[1]) return [`${first} and ${names[1]}`, deed];
  return [`${first} and ${all - 1} ${all === 2 ? 'other' : 'others'}`, deed];
}

export function Bell({ open, onClick }) {
  const { live } = useSession();
  const unseen = live.unseen();
  const shown = !live.complete && unseen === live.rows().length ? `${unseen}+` : String(unseen);
  return html`<button class="nav-item" aria-haspopup="dialog" aria-expanded=${open} onClick=${onClick}
      aria-label=${unseen ? `${shown} Notifications` : 'Notifications'}>
    <span class="nav-sign"><${Sign} name="bell" />${unseen > 0 && html`<span class="badge" key=${shown} aria-hidden="true">${shown}</span>`}</span>${' '}
    <span class="nav-word" aria-hidden="true">Notifications</span></button>`;
}

function Row({ row, onPick }) {
  const { live } = useSession();
  const actors = actorsOf(row);
  const post = row.expand?.post;
  const [who, deed] = sentence(row);
  const read = live.isRead(row);
  return html`<li><button class=${read ? 'row' : 'row is-unread'} onClick=${onPick}>
    <span class=${actors.length > 1 ? 'row-faces is-two' : 'row-faces'}>${actors.slice(0, 2).map((actor) => html`<${Avatar} key=${actor.id} user=${actor} />`)}
      ${!actors.length && html`<${Mark} />`}</span>
    <span class="row-words"><b>${who}</b> ${deed} <span class="row-when"><${Ago} at=${row.latestAt} /></span>
      ${!read && html`<span class="visually-hidden">, unread</span>`}</span>
    ${post?.photos?.length > 0 && html`<span class="row-photo"><${Picture} post=${post} square /></span>`}
    <span class="row-dot" aria-hidden="true"></span></button></li>`;
}

export function Tray({ onClose, onOpenPost }) {
  const { live } = useSession();
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const rows = live.rows();
  const newest = rows[0]?.latestAt;
  const opened = useRef(newest);

  const attempt = (deed) => deed.catch((err) => setProblem(because(err)));

  // opening the tray is seeing it, and so is looking on while something arrives
  useEffect(() => void attempt(live.markSeen()), [newest, live.settled]);

  async function more() {
    setBusy(true);
    setProblem('');
    await attempt(live.more());
    setBusy(false);
  }

  function pick(row) {
    attempt(live.markRead(row));
    if (row.post) onOpenPost(row.post);
  }

  return html`<${Dialog} name="tray" title="Notifications" onClose=${onClose}>
    <p class="visually-hidden" role="status">${newest && newest !== opened.current ? `${sentence(rows[0]).join(' ').trim()}.` : ''}</p>
    <div class="tray">
      ${problem && html`<p class="notice" role="alert">${problem}</p>`}
      ${!live.loaded && html`<p class="hint" role="status">Notifications are loading…</p>`}
      ${live.loaded && !rows.length && html`<div class="empty"><${Sign} name="bell" /><h3>Nothing yet</h3><p>When somebody likes your photo or follows you, it shows here at once.</p></div>`}
      <ul class="rows" aria-label="Notifications">${rows.map((row) => html`<${Row} key=${row.id} row=${row} onPick=${() => pick(row)} />`)}</ul>
      ${rows.length > 0 && !live.complete && html`<button class="button button-wide" disabled=${busy} onClick=${more}>${busy ? 'Loading…' : 'Show older'}</button>`}
    </div>
    ${rows.some((row) => !live.isRead(row)) && html`<footer class="tray-foot">
      <button class="button button-wide" onClick=${() => attempt(live.markAllRead())}><${Sign} name="check" />Mark all read</button></footer>`}
  <//>`;
}
