// The home feed.

import { html } from '../vendor/preact.js';
import { Post } from './post.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { Empty, End, Trouble, count, useChannel } from './ui.js';

export const PostSkeleton = () => html`<div class="post skeleton" aria-hidden="true">
  <div class="post-head"><span class="avatar"></span><span class="bone"></span></div><div class="frame"></div><span class="bone"></span></div>`;

export function Feed({ onCompose }) {
  const { feed } = useSession();
  useChannel(feed.changes);
  const { posts, phase, error, kept } = feed.get();

  function showWaiting() {
    feed.showWaiting();
    document.getElementById('main').focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  const fresh = feed.waiting;
  return html`
    <div class="fresh-place" role="status">${fresh > 0 && html`<button class="fresh" onClick=${showWaiting}>${feed.behind ? 'Show what is new' : count(fresh, 'new photo')}</button>`}</div>
    ${kept && phase === 'failed' && html`<p class="notice" role="status">You are offline. These are the photos of your last visit.</p>`}
    ${posts.map((post, index) => html`<${Post} key=${post.id} post=${post} eager=${index < 2} onHeard=${feed.update} onGone=${() => feed.remove(post.id)} />`)}
    ${phase === 'loading' && !posts.length && html`<p class="visually-hidden" role="status">Photos are loading.</p><${PostSkeleton} /><${PostSkeleton} />`}
    ${phase === 'failed' && !posts.length && html`<${Trouble} what="The feed" error=${error} onAgain=${feed.more} />`}
    ${phase === 'ready' && !posts.length && html`<${Empty} sign="heart" title="It is quiet here"><p>Follow a few people, or post the first photo yourself.</p>
      <p class="empty-ways"><a class="button button-main" href=${paths.search()}>Find people</a><button class="button" onClick=${onCompose}>Post a photo</button></p><//>`}
    <${End} list=${feed} words="You are all caught up." />`;
}
