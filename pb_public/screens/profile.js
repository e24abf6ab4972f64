// A person: who they are, what they posted, and what ties one to them.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { copy, share } from '../lib/share.js';
import { Bell } from './bell.js';
import { BlockQuestion } from './block.js';
import { Dialog } from './dialog.js';
import { Grid, useList } from './grid.js';
import { leave } from './leave.js';
import { Menu } from './menu.js';
import { Avatar, Words, handleOf } from './people.js';
import { FollowButton, Person } from './persons.js';
import { goTo, leaveTo, paths } from './router.js';
import { useSession } from './session.js';
import { Empty, End, Loading, Sign, Trouble, later, number, useChannel, useTitle } from './ui.js';

const Report = later(() => import('./report.js').then((module) => module.Report));

/** Followers, or those somebody follows. */
function Ties({ person, kind, onClose }) {
  const [of, other] = kind === 'followers' ? ['followee', 'follower'] : ['follower', 'followee'];
  const list = useList(kind, () => openCursor(pb, 'follows', { filter: pb.filter(`${of} = {:id} && state = "accepted"`, { id: person.id }), expand: other }));
  const { rows, phase, error } = list.get();
  const people = rows.map((row) => row.expand?.[other]).filter(Boolean);
  return html`<${Dialog} name="list" title=${kind === 'followers' ? 'Followers' : 'Following'} onClose=${onClose} place><div class="tray">
    ${phase === 'loading' && html`<${Loading} what="People" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The list" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && !people.length && html`<p class="hint">Nobody yet.</p>`}
    <ul class="persons">${people.map((one) => html`<${Person} key=${one.id} person=${one} />`)}</ul><${End} list=${list} /></div><//>`;
}

/** What somebody tells of themselves: names are links, and so are addresses, which nobody vouches for. */
const Bio = ({ text }) => text.split(/(https?:\/\/[^\s\p{C}<>"']*[^\s\p{C}<>"'.,;:!?)\]])/u).map((part, index) => (index % 2
  ? html`<a class="name" href=${part} rel="ugc nofollow noopener noreferrer" target="_blank" dir="ltr">${part}</a>` : html`<${Words} text=${part} />`));

function Posts({ person }) {
  const { user } = useSession();
  const list = useList('posts', () => openCursor(pb, 'posts', { filter: pb.filter('author = {:id}', { id: person.id }), expand: 'author' }));
  return html`<${Grid} list=${list}><${Empty} sign="photos" title="No photos yet"><p>${person.id === user.id ? 'What you post shows here.' : 'What they post shows here.'}</p><//><//>`;
}

function About({ person, onChanged, list }) {
  const session = useSession();
  const { user, feed, say, tieOf } = session;
  const [dialog, setDialog] = useState('');
  const tie = tieOf(person);
  useChannel(tie.changes);
  const ties = tie.shown();
  const mine = person.id === user.id;
  const handle = handleOf(person);
  const close = () => setDialog('');
  const leaveList = () => ['followers', 'following'].includes(list) && location.hash.endsWith(`/${list}`) && leaveTo(paths.person(person));

  const attempt = (action, words) => async () => {
    try {
      await action();
      say(words);
      onChanged();
    } catch (err) {
      say(because(err));
    }
  };
  const link = { word: 'Copy link', onClick: () => copy(`/@${handle}`, say) };
  const own = [link, { word: 'Share', onClick: () => share(`/@${handle}`, say) }, { word: 'Settings', onClick: () => goTo(paths.settings) }, { word: 'Sign out', onClick: () => leave(session), danger: true }];
  const actions = session.guest ? own.slice(0, 2) : [
    link, { word: 'Share', onClick: () => share(`/@${handle}`, say) },
    ties.muting
      ? { word: 'Unmute', onClick: attempt(tie.unmute, `${handle} is no longer muted.`) }
      : { word: 'Mute', onClick: attempt(() => tie.mute().then(() => feed.without(person.id)), `${handle} is muted, and does not know.`) },
    ties.followsMe && { word: 'Remove this follower', onClick: attempt(tie.dismiss, `${handle} no longer follows you.`) },
    !ties.blocking && { word: 'Block', onClick: () => setDialog('block'), danger: true },
    { word: 'Report', onClick: () => setDialog('report'), danger: true },
  ];
  const figure = (n, word, to) => html`<li>${to ? html`<a href=${to}><b>${number(n)}</b> ${word}</a>` : html`<span><b>${number(n)}</b> ${word}</span>`}</li>`;

  return html`<header class="profile">
    <${Avatar} user=${person} large />
    <div class="profile-who">
      <h1 class="profile-handle"><bdi>${handle}</bdi>${person.private && html`<span class="profile-lock"><${Sign} name="lock" /><span class="visually-hidden">Private account</span></span>`}</h1>
      ${person.name && html`<p class="profile-name"><bdi>${person.name}</bdi></p>`}
      <ul class="figures">${!person.private && figure(person.postsCount, person.postsCount === 1 ? 'post' : 'posts') /* of those that anybody may see */}
        ${figure(person.followersCount, person.followersCount === 1 ? 'follower' : 'followers', paths.person(person, 'followers'))}
        ${figure(person.followingCount, 'following', paths.person(person, 'following'))}</ul>
      ${person.bio && html`<p class="profile-bio" dir="auto"><${Bio} text=${person.bio} /></p>`}
      ${(ties.followsMe || ties.muting) && html`<p class="hint">${[ties.followsMe && 'Follows you', ties.muting && 'Muted by you'].filter(Boolean).join(' · ')}</p>`}
    </div>
    <div class="profile-actions">
      ${mine ? html`<a class="button" href=${paths.settings}>Edit profile</a><a class="button" href=${paths.saved}><${Sign} name="bookmark" />Saved</a>
          ${user.role === 'moderator' && html`<a class="button" href=${paths.moderation}>Moderation</a>`}<${Menu} label="More about you" actions=${own} />`
        : html`<${FollowButton} person=${person} />${ties.following && html`<${Bell} key=${person.id} person=${person} />`}<${Menu} label=${`More about ${handle}`} actions=${actions} />`}</div>
    ${list && html`<${Ties} key=${list} person=${person} kind=${list} onClose=${leaveList} />`}
    ${dialog === 'block' && html`<${BlockQuestion} person=${person} onDone=${onChanged} onClose=${close} />`}
    ${dialog === 'report' && html`<${Report} quiet target=${{ user: person.id }} what=${handle} onClose=${close} />`}
  </header>`;
}

export function Profile({ handle, list }) {
  const { user, tieOf, kept } = useSession();
  const [person, setPerson] = useState(() => kept.value('person') ?? (handle === user.handle ? user : null));
  const [error, setError] = useState(null);

  async function load() {
    setError(null);
    try {
      const found = await pb.collection('users').getFirstListItem(pb.filter('handle = {:handle}', { handle }), { requestKey: null });
      tieOf(found).heard(found.relationship);
      kept.keep('person', found);
      setPerson(found);
    } catch (err) {
      if (err.status === 404 || !person) setError(err);
    }
  }
  useEffect(() => void load(), [handle]);
  useTitle(`@${handle}`);

  if (error) return html`<h1 class="visually-hidden">@${handle}</h1><${Trouble} what="The profile" error=${error} gone="There is nobody with this handle." onAgain=${load} />`;
  if (!person) return html`<h1 class="visually-hidden">@${handle}</h1><${Loading} what="The profile" />`;
  return html`<section class="page" aria-label=${`Profile of ${handleOf(person)}`}>
    <${About} person=${person} list=${['followers', 'following'].includes(list) ? list : ''} onChanged=${load} />
    <${Content} person=${person} /></section>`;
}

function Content({ person }) {
  const { user, tieOf } = useSession();
  const tie = tieOf(person);
  useChannel(tie.changes);
  const { following, blocking } = tie.shown();
  if (blocking) return html`<${Empty} sign="lock" title="You blocked this account"><p>Unblock it to see its photos.</p><//>`;
  if (person.private && !following && person.id !== user.id) {
    return html`<${Empty} sign="lock" title="This account is private"><p>Its photos show when your request to follow is accepted.</p><//>`;
  }
  return html`<${Posts} key=${String(following)} person=${person} />`;
}
