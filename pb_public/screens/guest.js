// What everybody may see, without an account: a profile, a post, a hashtag. Whoever wants to do something there is invited, not
// turned away.

import { html, useEffect, useLayoutEffect, useState } from '../vendor/preact.js';
import { channel } from '../lib/cursor.js';
import { openShelf } from '../lib/store.js';
import { fold } from '../lib/words.js';
import { Dialog } from './dialog.js';
import { Messages } from './home.js';
import { Profile } from './profile.js';
import { openKept, usePlace } from './router.js';
import { Session } from './session.js';
import { Single } from './single.js';
import { Tag } from './tag.js';
import { Mark } from './ui.js';

/** What the screens work with, as openSession has it for a person: everything can be seen, and every action is an invitation. */
function openGuestSession() {
  const invitations = channel();
  const words = channel();
  const invite = () => invitations.send();
  const nothing = () => {};
  const still = { listen: () => nothing };
  const counts = new Map(); // of likes, by post
  const edgeOf = (post) => ({
    changes: still, toggle: invite, like: invite, want: invite,
    shown: () => ({ on: false, count: counts.get(post.id) ?? post.likesCount }),
    heard: ({ likesCount }) => likesCount !== undefined && counts.set(post.id, likesCount),
  });
  const tie = { changes: still, shown: () => ({}), heard: nothing, follow: invite, unfollow: invite, mute: invite, block: invite };
  return {
    guest: true, user: { id: '', handle: '' }, invite, invitations, words, say: words.send, kept: openKept(), shelf: openShelf('guest'),
    live: { connected: false, watchPost: () => nothing, watches: () => false }, liveChanges: still, outbox: null, outboxChanges: still,
    feed: { get: () => ({ posts: [] }), update: nothing, remove: nothing, without: nothing, reload: nothing, check: nothing },
    likeOf: edgeOf, saveOf: edgeOf, tieOf: () => tie,
  };
}

const session = openGuestSession();

const Screen = ({ parts: [where, what, more] }) => (where.startsWith('@') ? html`<${Profile} key=${where} handle=${where.slice(1).toLowerCase()} list=${what} />`
  : where === 'p' ? html`<${Single} key=${what} id=${what} comment=${more} />` : html`<${Tag} key=${what} name=${fold(what)} />`);

export function Guest({ onJoin }) {
  const place = usePlace(session.kept.forget);
  const [asked, setAsked] = useState(false);
  useEffect(() => session.invitations.listen(() => setAsked(true)), []);
  useLayoutEffect(() => {
    scrollTo({ top: place.back ? session.kept.top(place.hash) : 0, behavior: 'instant' });
    const keep = () => session.kept.scrolled(place.hash, scrollY);
    addEventListener('scroll', keep, { passive: true });
    return () => removeEventListener('scroll', keep);
  }, [place]);
  const skip = (event) => {
    event.preventDefault();
    document.getElementById('main').focus();
  };
  return html`<${Session.Provider} value=${session}>
    <a class="skip" href="#main" onClick=${skip}>Skip to the photos</a>
    <header class="bar bar-guest"><a class="brand" href="#/"><${Mark} />doubletap</a>
      <button class="button button-main" onClick=${onJoin}>Sign in</button></header>
    <main id="main" class=${`main main-${place.parts[0].replace(/\W.*/, 'person')}`} tabindex="-1">
      <${Screen} ...${place} />
      <aside class="invitation" aria-label="Join"><p><b>Photos from people you know.</b> Make an account to follow them, and to tap twice when one stays with you.</p>
        <button class="button" onClick=${onJoin}>Join or sign in</button></aside>
    </main>
    <${Messages} words=${session.words} />
    ${asked && html`<${Dialog} name="small" title="Join to take part" onClose=${() => setAsked(false)}><div class="sheet">
      <p>Likes, comments and follows need an account. It takes a minute, and you stay where you are.</p>
      <p class="sheet-end"><button class="button" onClick=${() => setAsked(false)}>Not now</button><button class="button button-main" onClick=${onJoin}>Join or sign in</button></p></div><//>`}
  <//>`;
}
