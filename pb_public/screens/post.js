// One post: its photos, the heart, and the words beneath.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, isPublic, pb } from '../lib/api.js';
import { Ago, Avatar, Picture, Sign, count, handleOf, sizeOf, useChannel, useSession } from './ui.js';

/** Tells when an element comes into view and when it leaves. */
function useInView(ref, entered, key) {
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
      // not for what merely flies by
      else if (!left) soon = setTimeout(() => (left = entered()), 250);
    });
    observer.observe(ref.current);
    return () => {
      observer.disconnect();
      leave();
    };
  }, [key]);
}

/** The photos of a post, side by side, with the double tap. */
function Photos({ post, eager, onDoubleTap }) {
  const frame = useRef(null);
  const strip = useRef(null);
  const lastTap = useRef(null);
  const [at, setAt] = useState(0);
  const [hearts, setHearts] = useState([]);
  const many = post.photos.length > 1;
  const size = sizeOf(post, 0);

  // Set from here, since a strict content policy allows no style attributes.
  const shape = (ratio) => frame.current?.style.setProperty('--ratio', Math.min(2, Math.max(0.75, ratio)).toFixed(4));
  useEffect(() => {
    if (size) shape(size.w / size.h);
    if (/^#[0-9a-f]{6}$/i.test(size?.color ?? '')) frame.current.style.setProperty('--tint', size.color);
  }, [size?.w, size?.h, size?.color]);

  function tapped(event) {
    if (event.target.closest('button')) return;
    const tap = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    const last = lastTap.current;
    lastTap.current = tap;
    if (!last || tap.time - last.time > 350 || Math.hypot(tap.x - last.x, tap.y - last.y) > 40) return;
    lastTap.current = null;
    const box = frame.current.getBoundingClientRect();
    setHearts((all) => [...all, { key: tap.time, x: tap.x - box.left, y: tap.y - box.top }]);
    onDoubleTap();
  }

  const place = (heart) => (el) => {
    el?.style.setProperty('--x', `${heart.x}px`);
    el?.style.setProperty('--y', `${heart.y}px`);
  };
  const turnTo = (index) => strip.current.scrollTo({ left: index * strip.current.clientWidth });
  const scrolled = () => setAt(Math.round(Math.abs(strip.current.scrollLeft) / strip.current.clientWidth));

  return html`<div class="frame" ref=${frame} onClick=${tapped}>
    <div class="strip" ref=${strip} onScroll=${many ? scrolled : undefined} tabindex=${many ? 0 : undefined}
        role=${many ? 'group' : undefined} aria-label=${many ? `${post.photos.length} photos` : undefined}>
      ${post.photos.map((name, index) => html`<div class="slide" key=${name}>
        <${Picture} post=${post} index=${index} eager=${eager && index === 0} onSize=${index === 0 && !size ? shape : undefined} /></div>`)}
    </div>
    ${many && html`<p class="slide-number">${at + 1} / ${post.photos.length}</p>
      <button class="turn turn-back" aria-label="Photo before" disabled=${at === 0} onClick=${() => turnTo(at - 1)}><${Sign} name="back" /></button>
      <button class="turn turn-next" aria-label="Next photo" disabled=${at === post.photos.length - 1} onClick=${() => turnTo(at + 1)}><${Sign} name="next" /></button>`}
    ${hearts.map((heart) => html`<span class="pop" key=${heart.key} ref=${place(heart)} aria-hidden="true"
      onAnimationEnd=${(event) => event.target === event.currentTarget && setHearts((all) => all.filter((one) => one !== heart))}>
      <i></i><i></i><${Sign} name="heart" /></span>`)}
  </div>`;
}

function Caption({ handle, text }) {
  const long = text.length > 220 || text.split('\n').length > 4;
  const [open, setOpen] = useState(false);
  if (!text) return null;
  return html`<div class="caption">
    <p class=${long && !open ? 'caption-text is-short' : 'caption-text'} dir="auto"><bdi><b>${handle}</b></bdi> ${text}</p>
    ${long && html`<button class="link" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? 'Less' : 'More'}</button>`}
  </div>`;
}

function Remove({ post, onGone }) {
  const { say } = useSession();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);

  async function remove() {
    setBusy(true);
    try {
      await pb.collection('posts').delete(post.id, { requestKey: null });
      say('Your post is deleted.');
      onGone();
    } catch (err) {
      if (err.status === 404) return onGone();
      say(because(err));
      setBusy(false);
      setAsking(false);
    }
    return undefined;
  }

  if (!asking) return html`<button class="link link-quiet" onClick=${() => setAsking(true)}>Delete</button>`;
  return html`<span class="asking" role="group" aria-label="Delete this post?">
    <button class="button button-danger" disabled=${busy} onClick=${remove}>Delete post</button>
    <button class="button" disabled=${busy} onClick=${() => setAsking(false)}>Keep</button></span>`;
}

/**
 * A post with its author in expand. onHeard(record) takes in what changed,
 * onGone() that it is there no more.
 */
export function Post({ post, eager, onHeard, onGone }) {
  const { user, live, likeOf } = useSession();
  const like = likeOf(post);
  const article = useRef(null);
  useChannel(like.changes);
  useInView(article, () => live.watchPost(post.id, ({ action, record }) => (action === 'delete' ? onGone() : onHeard(record))), post.id);
  useEffect(() => like.heard(post), [post]);

  const author = post.expand?.author;
  const handle = handleOf(author);
  const { liked, count: likes } = like.shown();

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
    const key = event.key.toLowerCase();
    if (key === 'l') like.toggle();
    else if (key === 'j' || key === 'k') {
      const posts = [...document.querySelectorAll('.post')].filter((one) => one.offsetParent);
      const next = posts[posts.indexOf(article.current) + (key === 'j' ? 1 : -1)];
      next?.focus({ preventScroll: true });
      next?.scrollIntoView({ block: 'start' });
    } else return;
    event.preventDefault();
  }

  return html`<article class="post" ref=${article} tabindex="0" aria-label=${`Post by ${handle}`} onKeyDown=${pressed}>
    <header class="post-head">
      <${Avatar} user=${author} />
      <div class="post-who"><p class="handle"><bdi>${handle}</bdi></p>
        <p class="post-when"><${Ago} at=${post.created} />${post.place && html` · <bdi>${post.place}</bdi>`}
          ${!isPublic(post) && html`<span class="post-lock"><${Sign} name="lock" />${post.visibility === 'private' ? 'Only you' : 'Followers'}</span>`}</p></div>
      ${post.author === user.id && html`<${Remove} post=${post} onGone=${onGone} />`}
    </header>
    <${Photos} post=${post} eager=${eager} onDoubleTap=${like.like} />
    <footer class="post-foot">
      <button class=${liked ? 'like is-liked' : 'like'} aria-pressed=${liked} aria-label="Like" aria-keyshortcuts="L" title="Like (L)"
        onClick=${like.toggle}><${Sign} name="heart" /></button>
      <p class="likes" key=${likes}>${likes ? count(likes, 'like') : 'Be the first to like it'}</p>
    </footer>
    <${Caption} handle=${handle} text=${post.caption ?? ''} />
  </article>`;
}
