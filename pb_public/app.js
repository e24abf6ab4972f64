// The web app: opens a session, and puts the screens around it.

import { html, render, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { because, checkSession, me, pb, signOut } from './lib/api.js';
import { openLike } from './lib/like.js';
import { openLive } from './lib/live.js';
import { Compose } from './screens/compose.js';
import { Feed, Single, feedStore } from './screens/feed.js';
import { People } from './screens/people.js';
import { SignIn } from './screens/signin.js';
import { Bell, Tray, sentence } from './screens/tray.js';
import { Avatar, Mark, Session, Sign, channel, handleOf, useChannel } from './screens/ui.js';

/** Everything a signed-in page works with; see Session in screens/ui.js. */
function openSession(user) {
  const liveChanges = channel();
  const words = channel();
  const feed = feedStore(pb);
  const likes = new Map();
  const say = words.send;

  const live = openLive(pb, {
    onChange: liveChanges.send,
    onNews: (row) => say(`${sentence(row).join(' ').trim()}.`, /like$/.test(row.type) ? 'heart' : 'bell'),
    onFeed: (action, row) => feed.heard(action, row),
    onConnect() {
      checkSession(); // an ended session closes the stream, so this is when one hears of it
      feed.check();
    },
  });

  /** The one like of a post, wherever the post is shown. */
  function likeOf(post) {
    if (!likes.has(post.id)) {
      const changes = channel();
      const onError = (err, wish) =>
        say(err.status === 400 || err.status === 404 ? 'This photo cannot be liked any more.' : `Your ${wish ? 'like' : 'unlike'} did not go through. ${because(err)}`);
      likes.set(post.id, { ...openLike(pb, post, { onChange: changes.send, onError }), changes });
    }
    return likes.get(post.id);
  }

  return { user, live, liveChanges, feed, likeOf, say, words };
}

// Where we are: #/, #/people or #/p/ID.
const place = () => location.hash.replace(/^#\/?/, '').split('/');

function usePlace() {
  const [at, setAt] = useState(place());
  useEffect(() => {
    const moved = () => {
      setAt(place());
      document.getElementById('main')?.focus({ preventScroll: true });
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return at;
}

function useMedia(query) {
  const [fits, setFits] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setFits(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, [query]);
  return fits;
}

/** Short messages at the edge of the page; screen readers hear them as they come. */
function Words({ words }) {
  const [said, setSaid] = useState([]);
  useEffect(() => words.listen((text, sign = '') => {
    const one = { text, sign, key: Math.random() };
    setSaid((all) => [...all.slice(-2), one]);
    setTimeout(() => setSaid((all) => all.filter((other) => other !== one)), 7000);
  }), [words]);
  return html`<div class="words" role="status" aria-live="polite">
    ${said.map((one) => html`<p key=${one.key} class="word">${one.sign && html`<${Sign} name=${one.sign} />`}<span dir="auto">${one.text}</span></p>`)}</div>`;
}

/** Tells of a lost connection, but not of the short breaks that belong to live updates. */
function Offline({ connected }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    setLong(false);
    if (connected) return undefined;
    const timer = setTimeout(() => setLong(true), 4000);
    return () => clearTimeout(timer);
  }, [connected]);
  return html`<p class="offline" role="status">${!connected && long ? 'No live connection. Trying again…' : ''}</p>`;
}

const NavLink = ({ to, here, sign, word }) => html`<a class=${'nav-item nav-' + sign} href=${to} aria-current=${here ? 'page' : undefined}>
  <span class="nav-sign"><${Sign} name=${sign} /></span><span class="nav-word">${word}</span></a>`;

let closing = Promise.resolve(); // the last session's connection

function Home({ user }) {
  const [session] = useState(() => openSession(user));
  const { live, feed } = session;
  const [dialog, setDialog] = useState('');
  const [where, id] = usePlace();
  const wide = useMedia('(min-width: 1180px)');
  const scroll = useRef(0);
  const atHome = where !== 'people' && where !== 'p';
  useChannel(session.liveChanges);

  useEffect(() => {
    feed.more();
    closing.then(live.start);
    const woken = () => document.visibilityState === 'visible' && live.catchUp();
    document.addEventListener('visibilitychange', woken);
    addEventListener('online', live.catchUp);
    return () => {
      document.removeEventListener('visibilitychange', woken);
      removeEventListener('online', live.catchUp);
      closing = live.stop();
    };
  }, []);

  // the feed stays as it was while another page is on top of it
  useLayoutEffect(() => {
    if (!atHome) return undefined;
    scrollTo({ top: scroll.current, behavior: 'instant' });
    const keep = () => (scroll.current = scrollY);
    addEventListener('scroll', keep, { passive: true });
    return () => removeEventListener('scroll', keep);
  }, [atHome]);
  useEffect(() => {
    if (!atHome) scrollTo({ top: 0, behavior: 'instant' });
  }, [where, id]);

  const unseen = live.unseen();
  useEffect(() => {
    document.title = (unseen ? `(${unseen}) ` : '') + 'Doubletap';
  }, [unseen]);

  const openPost = (post) => {
    setDialog('');
    location.hash = `#/p/${post}`;
  };
  const composed = (posted) => {
    setDialog('');
    if (!posted) return;
    scroll.current = 0;
    location.hash = '#/';
    scrollTo({ top: 0 });
  };
  const compose = () => setDialog('compose');
  const skip = (event) => {
    event.preventDefault();
    document.getElementById('main').focus();
  };

  return html`<${Session.Provider} value=${session}>
    <a class="skip" href="#main" onClick=${skip}>Skip to the photos</a>
    <header class="bar">
      <a class="brand" href="#/"><${Mark} />doubletap</a>
      <nav class="nav" aria-label="Main">
        <${NavLink} to="#/" here=${atHome} sign="home" word="Home" />
        <${NavLink} to="#/people" here=${where === 'people'} sign="people" word="People" />
        <button class="nav-item nav-post" aria-haspopup="dialog" onClick=${compose}>
          <span class="nav-sign"><${Sign} name="plus" /></span><span class="nav-word">Post a photo</span></button>
        <${Bell} open=${dialog === 'tray'} onClick=${() => setDialog('tray')} />
        <button class="nav-item nav-me" popovertarget="me"><span class="nav-sign"><${Avatar} user=${user} /></span>
          <span class="nav-word">${handleOf(user)}</span></button>
      </nav>
      <div id="me" class="me" popover="auto"><p class="handle"><bdi>${handleOf(user)}</bdi></p><p class="hint">${user.email}</p>
        <button class="button button-wide" onClick=${() => signOut()}>Sign out</button></div>
    </header>
    <main id="main" class="main" tabindex="-1">
      <${Offline} connected=${live.connected} />
      <div hidden=${!atHome}><h1 class="visually-hidden">Home feed</h1><${Feed} onCompose=${compose} /></div>
      ${where === 'p' && html`<h1 class="visually-hidden">Post</h1><${Single} key=${id} id=${id} />`}
      ${where === 'people' && html`<${People} />`}
    </main>
    ${wide && where !== 'people' && html`<aside class="aside" aria-label="People"><${People} heading="h2" /></aside>`}
    <${Words} words=${session.words} />
    ${dialog === 'compose' && html`<${Compose} onClose=${composed} />`}
    ${dialog === 'tray' && html`<${Tray} onClose=${() => setDialog('')} onOpenPost=${openPost} />`}
  <//>`;
}

function App() {
  const [user, setUser] = useState(me());
  useEffect(() => pb.authStore.onChange(() => setUser(me())), []);
  return user ? html`<${Home} key=${user.id} user=${user} />` : html`<${SignIn} />`;
}

history.scrollRestoration = 'manual'; // Home keeps its place itself
const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
