// Photos side by side, as on profiles, under a hashtag and among what was saved.

import { html, useEffect, useState } from '../vendor/preact.js';
import { handleOf } from './people.js';
import { altOf, Picture } from './photos.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { End, Sign, Trouble, number, useAgain, useChannel } from './ui.js';

/** A list of this place, which begins to load and is found again when one comes back; see router.js. */
export function useList(name, open) {
  const { kept } = useSession();
  const [list] = useState(() => kept.list(name, open));
  useChannel(list.changes);
  useEffect(() => void (list.get().phase === '' && list.more()), [list]);
  useAgain(list.get().phase === 'failed' && list.get().error, list.more);
  return list;
}

function Tile({ post }) {
  const label = `Post by ${handleOf(post.expand?.author)}: ${altOf(post)}`;
  return html`<li class="tile"><a href=${paths.post(post.id)} aria-label=${label}>
    <${Picture} post=${post} square alt="" sizes="(min-width: 1024px) 260px, 33vw" />
    ${post.photos.length > 1 && html`<span class="tile-many"><${Sign} name="photos" /></span>`}
    <span class="tile-counts" aria-hidden="true"><span><${Sign} name="heart" />${number(post.likesCount)}</span><span><${Sign} name="comment" />${number(post.commentsCount)}</span></span></a></li>`;
}

/** The posts of a list. postOf finds the post in a row; children are shown when there is none. */
export function Grid({ list, what = 'The photos', postOf = (row) => row, children }) {
  const { rows, phase, error } = list.get();
  const posts = rows.map(postOf).filter(Boolean);
  return html`
    ${phase === 'failed' && !posts.length && html`<${Trouble} what=${what} error=${error} onAgain=${list.more} />`}
    ${(phase === 'loading' || phase === '') && !posts.length && html`<p class="visually-hidden" role="status">Photos are loading.</p>
      <div class="grid skeleton" aria-hidden="true">${[1, 2, 3, 4, 5, 6].map((n) => html`<span class="tile bone" key=${n}></span>`)}</div>`}
    ${phase === 'ready' && list.done && !posts.length && children}
    ${posts.length > 0 && html`<ul class="grid">${posts.map((post) => html`<${Tile} key=${post.id} post=${post} />`)}</ul>`}
    <${End} list=${list} />`;
}
