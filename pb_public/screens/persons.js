// What ties one to a person, and people in lists.

import { html, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { Confirm } from './dialog.js';
import { Face, Handle, handleOf } from './people.js';
import { useSession } from './session.js';
import { count, useChannel } from './ui.js';

/** Whom one lets go of although only their word brings one back: asked about once more. */
export const UnfollowQuestion = ({ person, onDo, onClose }) => html`<${Confirm} title=${`Unfollow ${handleOf(person)}?`} action="Unfollow" onDo=${onDo} onClose=${onClose}>
  The account is private: to see its photos again, you will have to ask.<//>`;

export function FollowButton({ person }) {
  const { user, feed, say, tieOf } = useSession();
  const [asking, setAsking] = useState(false);
  const tie = tieOf(person);
  useChannel(tie.changes);
  const { following, requested, blocking, busy } = tie.shown();
  if (person.id === user.id) return null;
  const active = following || requested;

  async function unfollow() {
    await tie.unfollow();
    feed.without(person.id);
  }
  async function turn() {
    if (following && person.private && !blocking) return setAsking(true);
    try {
      if (blocking) await tie.unblock();
      else if (active) await unfollow();
      else {
        await tie.follow();
        if (location.hash.length > 2) feed.reload();
        else feed.check(); // somebody reads there
      }
    } catch (err) {
      say(`${handleOf(person)}: ${because(err)}`);
    }
    return undefined;
  }

  const word = blocking ? 'Unblock' : following ? 'Following' : requested ? 'Requested' : 'Follow';
  return html`<button class=${active || blocking ? 'button' : 'button button-main'} disabled=${busy} aria-pressed=${blocking ? undefined : Boolean(active)}
    aria-label=${`${word} ${handleOf(person)}`} onClick=${turn}>${word}</button>
    ${asking && html`<${UnfollowQuestion} person=${person} onDo=${unfollow} onClose=${() => setAsking(false)} />`}`;
}

/** One person in a list. */
export function Person({ person, children }) {
  const { tieOf } = useSession();
  const { followsMe } = tieOf(person).shown();
  return html`<li class="person"><${Face} user=${person} />
    <div class="person-who"><p><${Handle} user=${person} /></p>
      <p class="person-name"><bdi>${person.name || (followsMe ? 'Follows you' : count(person.followersCount, 'follower'))}</bdi></p></div>
    ${children ?? html`<${FollowButton} person=${person} />`}</li>`;
}
