// The tray: what happened while you were away, and what happens now.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { Dialog } from './dialog.js';
import { Face } from './people.js';
import { Picture } from './photos.js';
import { FewRequests } from './requests.js';
import { paths } from './router.js';
import { actorsOf, sentence } from './sentence.js';
import { useSession } from './session.js';
import { Ago, Empty, Loading, Mark, Sign } from './ui.js';

/** Where a notification leads. */
function pathOf(row, me) {
  if (row.post) return paths.post(row.post, row.comment);
  if (row.type === 'follow_request') return paths.requests;
  const actors = actorsOf(row);
  if (!/^follow/.test(row.type) || !actors.length) return '';
  return row.actorsCount > 1 ? paths.person(me, 'followers') : paths.person(actors[0]);
}

function Row({ row, onPick }) {
  const { live } = useSession();
  const actors = actorsOf(row);
  const post = row.expand?.post;
  const said = row.expand?.comment?.text;
  const [who, phrase] = sentence(row);
  const read = live.isRead(row);
  return html`<li class=${read ? 'row' : 'row is-unread'}>
    <span class=${actors.length > 1 ? 'row-faces is-two' : 'row-faces'}>${actors.slice(0, 2).map((actor) => html`<${Face} key=${actor.id} user=${actor} />`)}
      ${!actors.length && html`<${Mark} />`}</span>
    <button class="row-main" onClick=${onPick}>
    <span class="row-words"><b><bdi>${who}</bdi></b> ${phrase}${said && html`: <span class="row-said">“<bdi>${said}</bdi>”</span>`} <span class="row-when"><${Ago} at=${row.latestAt} /></span>
      ${!read && html`<span class="visually-hidden">, unread</span>`}</span>
    ${post?.photos?.length > 0 && html`<span class="row-photo"><${Picture} post=${post} square alt="" sizes="48px" /></span>`}
    <span class="row-dot" aria-hidden="true"></span></button></li>`;
}

export function Tray({ onClose, onGo }) {
  const { live, user } = useSession();
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const rows = live.rows();
  const newest = rows[0]?.latestAt;
  const opened = useRef(newest);

  const attempt = (request) => request.catch((err) => setProblem(because(err)));

  // some types wait in the list, untold; while not connected, the next connection asks for all
  useEffect(() => void (live.connected && live.catchUp()), []);

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
    const path = pathOf(row, user);
    if (path) onGo(path);
  }

  return html`<${Dialog} name="tray" title="Notifications" onClose=${onClose}>
    <p class="visually-hidden" role="status">${newest && newest !== opened.current ? `${sentence(rows[0]).join(' ').trim()}.` : ''}</p>
    <div class="tray">
      ${problem && html`<p class="notice" role="alert">${problem}</p>`}
      ${user.private && html`<${FewRequests} latest=${rows.find((row) => row.type === 'follow_request')?.latestAt} onClose=${onClose} />`}
      ${!live.loaded && html`<${Loading} what="The list" />`}
      ${live.loaded && !rows.length && html`<${Empty} sign="bell" title="Nothing yet"><p>When somebody likes your photo or follows you, it shows here at once.</p><//>`}
      <ul class="rows" aria-label="Notifications">${rows.map((row) => html`<${Row} key=${row.id} row=${row} onPick=${() => pick(row)} />`)}</ul>
      ${rows.length > 0 && !live.complete && html`<button class="button button-wide" disabled=${busy} onClick=${more}>${busy ? 'Loading…' : 'Show older'}</button>`}
    </div>
    ${rows.some((row) => !live.isRead(row)) && html`<footer class="tray-foot">
      <button class="button button-wide" onClick=${() => attempt(live.markAllRead())}><${Sign} name="check" />Mark all read</button></footer>`}
  <//>`;
}
