// People as the screens show them: faces, names, and the button that ties one to them.

import { html, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { handleOf, namesIn } from '../lib/words.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { count, useChannel } from './ui.js';

export { handleOf };

export function Avatar({ user, large = false }) {
  const name = handleOf(user);
  const [broken, setBroken] = useState('');
  const size = large ? ' avatar-large' : '';
  if (user?.avatar && broken !== user.avatar) {
    const src = pb.files.getURL(user, user.avatar, { thumb: large ? '320x320' : '100x100' });
    return html`<img class=${'avatar' + size} src=${src} alt="" width="40" height="40" onError=${() => setBroken(user.avatar)} />`;
  }
  const shade = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
  return html`<span class=${`avatar avatar-${shade}${size}`} aria-hidden="true">${[...name][0]?.toUpperCase()}</span>`;
}

/** A handle that leads to its profile. */
export const Handle = ({ user }) => (user?.handle
  ? html`<a class="handle" href=${paths.person(user)}><bdi>${user.handle}</bdi></a>`
  : html`<span class="handle"><bdi>${handleOf(user)}</bdi></span>`);

/** What somebody wrote, with the names in it as links. */
export const Words = ({ text }) => namesIn(text).map((part) => (part.handle
  ? html`<a class="name" href=${paths.person(part.handle)}>${part.text}</a>`
  : part.tag ? html`<a class="name" href=${paths.tag(part.tag)}>${part.text}</a>` : part.text));

export function FollowButton({ person }) {
  const { user, feed, say, tieOf } = useSession();
  const tie = tieOf(person);
  useChannel(tie.changes);
  const { following, requested, blocking, busy } = tie.shown();
  if (person.id === user.id) return null;
  const active = following || requested;

  async function turn() {
    try {
      if (blocking) await tie.unblock();
      else if (active) {
        await tie.unfollow();
        feed.without(person.id);
      } else {
        await tie.follow();
        if (location.hash.length > 2) feed.reload();
        else feed.check(); // somebody reads there
      }
    } catch (err) {
      say(`${handleOf(person)}: ${because(err)}`);
    }
  }

  const word = blocking ? 'Unblock' : following ? 'Following' : requested ? 'Requested' : 'Follow';
  return html`<button class=${active || blocking ? 'button' : 'button button-main'} disabled=${busy} aria-pressed=${blocking ? undefined : Boolean(active)}
    aria-label=${`${word} ${handleOf(person)}`} onClick=${turn}>${word}</button>`;
}

/** One person in a list. */
export function Person({ person, children }) {
  const { tieOf } = useSession();
  const { followsMe } = tieOf(person).shown();
  return html`<li class="person"><${Avatar} user=${person} />
    <div class="person-who"><p><${Handle} user=${person} /></p>
      <p class="person-name"><bdi>${person.name || (followsMe ? 'Follows you' : count(person.followersCount, 'follower'))}</bdi></p></div>
    ${children ?? html`<${FollowButton} person=${person} />`}</li>`;
}
