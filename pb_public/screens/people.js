// People: find them by handle, follow and unfollow.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { Avatar, count, handleOf, useSession } from './ui.js';

function Person({ person }) {
  const { user, feed, say } = useSession();
  const [tie, setTie] = useState(person.relationship ?? {});
  const [busy, setBusy] = useState(false);
  const follows = pb.collection('follows');
  const active = tie.following || tie.requested;

  async function turn() {
    setBusy(true);
    try {
      if (active) {
        const edge = pb.filter('follower = {:me} && followee = {:them}', { me: user.id, them: person.id });
        const row = await follows.getFirstListItem(edge, { requestKey: null });
        await follows.delete(row.id, { requestKey: null });
        setTie({ ...tie, following: false, requested: false });
      } else {
        const row = await follows.create({ followee: person.id }, { requestKey: 'follow-' + person.id });
        setTie({ ...tie, following: row.state === 'accepted', requested: row.state !== 'accepted' });
      }
      feed.reload();
    } catch (err) {
      if (active && err.status === 404) setTie({ ...tie, following: false, requested: false });
      else say(`${handleOf(person)}: ${because(err)}`);
    }
    setBusy(false);
  }

  const word = tie.following ? 'Following' : tie.requested ? 'Requested' : 'Follow';
  return html`<li class="person"><${Avatar} user=${person} />
    <div class="person-who"><p class="handle"><bdi>${handleOf(person)}</bdi></p>
      <p class="person-name"><bdi>${person.name || (tie.followsMe ? 'Follows you' : count(person.followersCount || 0, 'follower'))}</bdi></p></div>
    <button class=${active ? 'button' : 'button button-main'} disabled=${busy} aria-pressed=${Boolean(active)} aria-label=${`${word} ${handleOf(person)}`} onClick=${turn}>
      ${word}</button></li>`;
}

export function People({ heading = 'h1' }) {
  const { user } = useSession();
  const [sought, setSought] = useState('');
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const handle = sought.trim().replace(/^@/, '').toLowerCase();
    const others = pb.filter('id != {:me} && handle != ""', { me: user.id });
    const timer = setTimeout(async () => {
      try {
        const page = await pb.collection('users').getList(1, 12, {
          filter: handle ? `${others} && ${pb.filter('handle ~ {:start}', { start: handle + '%' })}` : others,
          sort: handle ? 'handle' : '-created', skipTotal: true,
          requestKey: 'people', // the newest question wins
        });
        setFound(page.items);
        setProblem('');
      } catch (err) {
        if (!err.isAbort) setProblem(because(err));
      }
    }, handle ? 250 : 0);
    return () => clearTimeout(timer);
  }, [sought]);

  return html`<section class="people" aria-labelledby="people-title">
    <${heading} id="people-title" class="people-title">People<//>
    <div class="field"><label for="seek">Find by handle</label>
      <input id="seek" type="search" autocomplete="off" autocapitalize="none" spellcheck=${false} dir="ltr" placeholder="ada" value=${sought} onInput=${(event) => setSought(event.target.value)} /></div>
    ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    ${!found && !problem && html`<p class="hint">People are loading…</p>`}
    <ul class="persons">${found?.map((person) => html`<${Person} key=${person.id} person=${person} />`)}</ul>
    <p class="hint" role="status">${found?.length === 0 ? (sought ? 'Nobody has a handle like this.' : 'You are the first one here. Invite a friend.') : ''}</p>
  </section>`;
}
