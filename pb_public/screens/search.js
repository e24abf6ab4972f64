// Finding people, hashtags and posts.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { enough, openSearch, plain, suggest } from '../lib/search.js';
import { Grid, useList } from './grid.js';
import { Person } from './persons.js';
import { paths } from './router.js';
import { Empty, End, Loading, Sign, Trouble, count, useTitle } from './ui.js';

const types = [['posts', 'Posts'], ['users', 'People'], ['tags', 'Hashtags']];

const TagRow = ({ tag }) => html`<li class="person"><span class="avatar tag-sign"><${Sign} name="hash" /></span>
  <div class="person-who"><p><a class="handle" href=${paths.tag(tag.name)}><bdi>${tag.displayName || tag.name}</bdi></a></p><p class="person-name">${count(tag.postsCount, 'post')}</p></div></li>`;

function Found({ type, q }) {
  const list = useList(`${type}/${q}`, () => openSearch(pb, type, q));
  const { rows, phase, error } = list.get();
  const short = !enough(plain(q));
  const nothing = html`<${Empty} sign="search" title=${short ? 'A little more' : 'Nothing found'}><p>${short ? 'Two letters at least.' : 'Try fewer letters, or another word.'}</p><//>`;
  if (type === 'posts') return html`<${Grid} list=${list}>${nothing}<//>`;
  return html`
    ${(phase === 'loading' || phase === '') && html`<${Loading} what="The answer" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The answer" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && !rows.length && nothing}
    <ul class="persons">${rows.map((row) => (type === 'users' ? html`<${Person} key=${row.id} person=${row} />` : html`<${TagRow} key=${row.id} tag=${row} />`))}</ul>
    <${End} list=${list} />`;
}

/** The newest posts, before somebody asks for anything. */
function Explore() {
  const list = useList('newest', () => openCursor(pb, 'posts', { filter: pb.filter('author != {:me}', { me: pb.authStore.record.id }), expand: 'author' }));
  return html`<h2 class="section-title">New photos</h2>
    <${Grid} list=${list}><${Empty} sign="photos" title="No photos yet"><p>You are early. Post the first one.</p><//><//>`;
}

export function Search({ q = '', type = 'posts' }) {
  useTitle(q ? `Search: ${q}` : 'Search');
  const [words, setWords] = useState(q);
  const [few, setFew] = useState(null); // people and hashtags while typing
  const latest = useRef(0);
  const asked = plain(words);

  useEffect(() => setWords((now) => (plain(now) === plain(q) ? now : q)), [q]);
  useEffect(() => {
    const mine = ++latest.current;
    if (!enough(asked) || asked === plain(q)) return setFew(null);
    const timer = setTimeout(async () => {
      const found = await suggest(pb, asked).catch(() => null);
      if (mine === latest.current) setFew(found);
    }, 200);
    return () => clearTimeout(timer);
  }, [asked, q]);

  function submit(event) {
    event.preventDefault();
    latest.current++;
    location.hash = asked ? `${paths.search(asked)}/${words.trim().startsWith('@') ? 'users' : words.trim().startsWith('#') ? 'tags' : type}` : paths.search();
  }

  return html`<section class="page"><h1 class="visually-hidden">Search</h1>
    <form class="seek" role="search" onSubmit=${submit}><${Sign} name="search" /><label class="visually-hidden" for="seek">Search people, hashtags and posts</label>
      <input id="seek" type="search" maxlength="50" autocomplete="off" autocapitalize="none" spellcheck=${false} dir="auto" enterkeyhint="search"
        placeholder="People, #hashtags, words" value=${words} onInput=${(event) => setWords(event.target.value)} /></form>
    ${few && html`<div class="few" role="group" aria-label="Suggestions">
      <p class="visually-hidden" role="status">${count(few.users.length + few.tags.length, 'suggestion')}</p>
      <ul class="persons">${few.users.map((person) => html`<${Person} key=${person.id} person=${person} />`)}${few.tags.map((tag) => html`<${TagRow} key=${tag.id} tag=${tag} />`)}</ul>
      <button class="button button-wide" onClick=${submit}>Search for “<bdi>${words.trim()}</bdi>”</button></div>`}
    ${!few && q && html`<nav class="tabs" aria-label="What to search">${types.map(([name, word]) => html`<a key=${name} href=${`${paths.search(q)}/${name}`} aria-current=${type === name ? 'page' : undefined}>${word}</a>`)}</nav>
      <${Found} key=${`${type}/${q}`} type=${type} q=${q} />`}
    ${!few && !q && html`<${Explore} />`}
  </section>`;
}
