// Those who ask to follow a private account.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { openCursor, openList } from '../lib/cursor.js';
import { useList } from './grid.js';
import { handleOf } from './people.js';
import { Person } from './persons.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { Empty, End, Loading, Sign, Trouble, useChannel, useTitle } from './ui.js';

const ask = (user, perPage) => openCursor(pb, 'follows', { filter: pb.filter('followee = {:me} && state = "pending"', { me: user.id }), expand: 'follower', perPage });

/** Those of a list, each to be accepted or declined. */
function Asking({ list }) {
  const { say } = useSession();
  async function answer(row, accept) {
    const follows = pb.collection('follows');
    const handle = handleOf(row.expand?.follower);
    try {
      if (accept) await follows.update(row.id, { state: 'accepted' }, { requestKey: null });
      else await follows.delete(row.id, { requestKey: null });
      say(accept ? `${handle} follows you now.` : `You declined ${handle}. Nobody is told.`);
    } catch (err) {
      if (err.status !== 404) return say(because(err));
    }
    return list.change(row.id, () => null); // answered, or taken back meanwhile
  }
  return html`<ul class="persons">${list.get().rows.filter((row) => row.expand?.follower).map((row) => html`<${Person} key=${row.id} person=${row.expand.follower}>
    <span class="answer"><button class="button button-main" aria-label=${`Accept ${handleOf(row.expand.follower)}`} onClick=${() => answer(row, true)}>Accept</button>
      <button class="button" aria-label=${`Decline ${handleOf(row.expand.follower)}`} onClick=${() => answer(row, false)}>Decline</button></span><//>`)}</ul>`;
}

/** The newest few, where the news are; latest tells that there is another one. */
export function FewRequests({ latest, onClose }) {
  const { user } = useSession();
  const [list, setList] = useState(() => openList(ask(user, 3)));
  useChannel(list.changes);
  useEffect(() => {
    const fresh = openList(ask(user, 3));
    fresh.more().then(() => setList(fresh)); // what is shown stays until then
  }, [latest]);
  return html`<section class="tray-asking" aria-label="Follow requests"><${Asking} list=${list} />
    <a class="tray-requests" href=${paths.requests} onClick=${onClose}><${Sign} name="people" />Follow requests<${Sign} name="next" /></a></section>`;
}

export function Requests() {
  const { user } = useSession();
  const list = useList('requests', () => ask(user));
  const { rows, phase, error } = list.get();
  useTitle('Follow requests');
  return html`<section class="page page-narrow"><h1 class="page-title">Follow requests</h1>
    ${(phase === 'loading' || phase === '') && html`<${Loading} what="The list" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The list" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && !rows.length && html`<${Empty} sign="people" title="No requests"><p>When your account is private, people ask here before they follow you.</p><//>`}
    <${Asking} list=${list} /><${End} list=${list} /></section>`;
}
