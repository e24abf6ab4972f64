// Those who ask to follow a private account.

import { html } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { useList } from './grid.js';
import { Person, handleOf } from './people.js';
import { useSession } from './session.js';
import { Empty, End, Loading, Trouble } from './ui.js';

export function Requests() {
  const { user, say } = useSession();
  const list = useList('requests', () => openCursor(pb, 'follows', { filter: pb.filter('followee = {:me} && state = "pending"', { me: user.id }), expand: 'follower' }));
  const { rows, phase, error } = list.get();

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

  return html`<section class="page page-narrow"><h1 class="page-title">Follow requests</h1>
    ${(phase === 'loading' || phase === '') && html`<${Loading} what="The list" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The list" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && !rows.length && html`<${Empty} sign="people" title="No requests"><p>When your account is private, people ask here before they follow you.</p><//>`}
    <ul class="persons">${rows.filter((row) => row.expand?.follower).map((row) => html`<${Person} key=${row.id} person=${row.expand.follower}>
      <span class="answer"><button class="button button-main" aria-label=${`Accept ${handleOf(row.expand.follower)}`} onClick=${() => answer(row, true)}>Accept</button>
        <button class="button" aria-label=${`Decline ${handleOf(row.expand.follower)}`} onClick=${() => answer(row, false)}>Decline</button></span><//>`)}</ul>
    <${End} list=${list} /></section>`;
}
