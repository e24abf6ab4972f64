// The home feed, and one post of it: its photos, the heart, and the words beneath.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because } from '../lib/api.js';
import { isPublic } from '../lib/photos.js';
import { Face, Handle, Words, handleOf } from './people.js';
import { Photos } from './photos.js';
import { paths } from './router.js';
import { useSession } from './session.js';
import { Ago, Empty, End, Sign, Trouble, count, later, useChannel } from './ui.js';

const Likers = later(() => import('./likers.js').then((module) => module.Likers));

/** Tells when an element comes into view and when it leaves. */
function useInView(ref, entered, key, wait) {
  useEffect(() => {
    let left = null;
    let soon = 0;
    const leave = () => {
      clearTimeout(soon);
      left?.();
      left = null;
    };
    const observer = new IntersectionObserver((entries) => {
      clearTimeout(soon);
      if (!entries.at(-1).isIntersecting) leave();
      else if (!left) soon = setTimeout(() => (left = entered()), wait);
    });
    observer.observe(ref.current);
    return () => {
      observer.disconnect();
      leave();
    };
  }, [key]);
}

function Caption({ post }) {
  const text = post.caption ?? '';
  const long = text.length > 220 || text.split('\n').length > 4;
  const [open, setOpen] = useState(false);
  if (!text) return null;
  return html`<div class="caption">
    <p class=${long && !open ? 'caption-text is-short' : 'caption-text'} dir="auto"><${Handle} user=${post.expand?.author} /> <${Words} text=${text} /></p>
    ${long && html`<button class="link" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? 'Less' : 'More'}</button>`}
  </div>`;
}

const audiences = { private: 'Only you', followers: 'Followers' };

function Head({ post, onHeard, onGone }) {
  const { say } = useSession();
  const [More, setMore] = useState(null); // the menu, once somebody asks for it
  const author = post.expand?.author;
  const open = () => import('./postmenu.js').then((module) => setMore(() => module.PostMenu), (err) => say(because(err)));

  return html`<header class="post-head">
    <${Face} user=${author} />
    <div class="post-who"><p><${Handle} user=${author} /></p>
      <p class="post-when"><a class="quiet" href=${paths.post(post.id)}><${Ago} at=${post.created} /></a>${post.place && html` · <bdi>${post.place}</bdi>`}
        ${post.hidden && html`<span class="post-lock"><${Sign} name="lock" />Hidden by a moderator</span>`}
        ${audiences[post.visibility] && html`<span class="post-lock"><${Sign} name="lock" />${audiences[post.visibility]}</span>`}</p></div>
    ${More ? html`<${More} post=${post} onHeard=${onHeard} onGone=${onGone} />`
      : html`<button type="button" class="icon-button" aria-label=${`More about the post by ${handleOf(author)}`} aria-haspopup="menu" aria-expanded="false" onClick=${open}><${Sign} name="dots" /></button>`}
  </header>`;
}

function Foot({ post }) {
  const { likeOf, saveOf, say } = useSession();
  const [asked, setAsked] = useState(false); // who liked it
  const [like, save] = [likeOf(post), saveOf(post)];
  useChannel(like.changes);
  useChannel(save.changes);
  const { on: liked, count: likes, queued } = like.shown();
  const { on: saved } = save.shown();

  async function handOn() {
    try {
      const { share } = await import('../lib/share.js');
      await share(`/p/${post.id}`, say);
    } catch (err) {
      say(because(err));
    }
  }

  return html`<footer class="post-foot">
    <button class=${liked ? 'action like is-liked' : 'action like'} aria-pressed=${liked} aria-label="Like" aria-keyshortcuts="L" title="Like (L)" onClick=${like.toggle}><${Sign} name="heart" /></button>
    ${post.commentsOff && !post.commentsCount ? null : html`<a class="action" href=${paths.post(post.id)} aria-label=${count(post.commentsCount, 'comment')} title="Comments (C)"><${Sign} name="comment" /></a>`}
    ${isPublic(post) && html`<button class="action" aria-label="Share" title="Share" onClick=${handOn}><${Sign} name="share" /></button>`}
    <button class=${saved ? 'action save is-saved' : 'action save'} aria-pressed=${saved} aria-label="Save" aria-keyshortcuts="S" title="Save (S)" onClick=${save.toggle}><${Sign} name="bookmark" /></button>
    <p class="likes">${likes ? html`<button key=${likes} class="likes-who" aria-haspopup="dialog" onClick=${() => setAsked(true)}>${count(likes, 'like')}</button>` : html`<span>Be the first to like it</span>`}
      ${queued && html`<span class="waiting"><${Sign} name="clock" />waits for a connection</span>`}</p>
    ${asked && html`<${Likers} quiet post=${post} onClose=${() => setAsked(false)} />`}
  </footer>`;
}

/**
 * A post with its author in expand. onHeard(record) takes in what changed,
 * onGone() that it is there no more.
 */
export function Post({ post, eager, alone = false, onHeard, onGone }) {
  const { live, likeOf, saveOf } = useSession();
  const like = likeOf(post);
  const save = saveOf(post);
  const article = useRef(null);
  useInView(article, () => live.watchPost(post.id, ({ action, record }) => (action === 'delete' ? onGone() : onHeard(record))), post.id,
    alone ? 0 : 250); // what merely flies by is not watched
  useEffect(() => {
    like.heard(post);
    save.heard({ id: post.saved });
  }, [post]);

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog, [role=menu]')) return;
    const key = event.key.toLowerCase();
    if (key === 'l') like.toggle();
    else if (key === 's') save.toggle();
    else if (key === 'c') location.hash = paths.post(post.id);
    else if (key === 'j' || key === 'k') {
      const posts = [...document.querySelectorAll('.post')].filter((one) => one.offsetParent);
      const next = posts[posts.indexOf(article.current) + (key === 'j' ? 1 : -1)];
      next?.focus({ preventScroll: true });
      next?.scrollIntoView({ block: 'start' });
    } else return;
    event.preventDefault();
  }

  return html`<article class="post" ref=${article} tabindex="0" aria-label=${`Post by ${handleOf(post.expand?.author)}`} onKeyDown=${pressed}>
    <${Head} post=${post} onHeard=${onHeard} onGone=${onGone} />
    <${Photos} post=${post} eager=${eager} onDoubleTap=${like.like} />
    <${Foot} post=${post} />
    <${Caption} post=${post} />
    ${!alone && post.commentsCount > 0 && html`<a class="post-comments" href=${paths.post(post.id)}>${post.commentsCount === 1 ? 'View the comment' : `View all ${count(post.commentsCount, 'comment')}`}</a>`}
  </article>`;
}

/** What holds the place of a post that is loading. */
export const PostSkeleton = () => html`<div class="post skeleton" aria-hidden="true">
  <div class="post-head"><span class="avatar"></span><span class="bone"></span></div><div class="frame"></div><span class="bone"></span></div>`;

export function Feed({ onCompose }) {
  const { feed } = useSession();
  useChannel(feed.changes);
  const { posts, phase, error, kept } = feed.get();
  const [drawn, setDrawn] = useState(3); // who opens the app does not wait for what lies below
  useEffect(() => void (posts.length && setDrawn(Infinity)), [posts.length]);

  function showWaiting() {
    feed.showWaiting();
    document.getElementById('main').focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  const fresh = feed.waiting;
  return html`
    <div class="fresh-place" role="status">${fresh > 0 && html`<button class="fresh" onClick=${showWaiting}>${feed.behind ? 'Show what is new' : count(fresh, 'new photo')}</button>`}</div>
    ${kept && phase === 'failed' && html`<p class="notice" role="status">${navigator.onLine ? 'The server does not answer.' : 'You are offline.'} These are the photos of your last visit.</p>`}
    ${posts.slice(0, drawn).map((post, index) => html`<${Post} key=${post.id} post=${post} eager=${index < 2} onHeard=${feed.update} onGone=${() => feed.remove(post.id)} />`)}
    ${phase === 'loading' && !posts.length && html`<p class="visually-hidden" role="status">Photos are loading.</p><${PostSkeleton} /><${PostSkeleton} />`}
    ${phase === 'failed' && !posts.length && html`<${Trouble} what="The feed" error=${error} onAgain=${feed.more} />`}
    ${phase === 'ready' && !posts.length && html`<${Empty} sign="heart" title="It is quiet here"><p>Follow a few people, or post the first photo yourself.</p>
      <p class="empty-ways"><a class="button button-main" href=${paths.search()}>Find people</a><button class="button" onClick=${onCompose}>Post a photo</button></p><//>`}
    <${End} list=${feed} words="You are all caught up." />`;
}
