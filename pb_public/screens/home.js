// The page of somebody who is signed in: the bar, the screen that the address names, and what lies above it.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { line, pb } from '../lib/api.js';
import { fold } from '../lib/words.js';
import { Feed } from './feed.js';
import { Avatar, handleOf } from './people.js';
import { goTo, paths, usePlace } from './router.js';
import { Session, useSession } from './session.js';
import { Empty, Mark, Sign, count, countInTitle, later, useChannel, useMedia, useTitle } from './ui.js';

const screen = {
  single: later(() => import('./single.js').then((module) => module.Single)),
  profile: later(() => import('./profile.js').then((module) => module.Profile)),
  search: later(() => import('./search.js').then((module) => module.Search)),
  newcomers: later(() => import('./newcomers.js').then((module) => module.Newcomers)),
  tag: later(() => import('./tag.js').then((module) => module.Tag)),
  saved: later(() => import('./saved.js').then((module) => module.Saved)),
  requests: later(() => import('./requests.js').then((module) => module.Requests)),
  settings: later(() => import('./settings.js').then((module) => module.Settings)),
  moderation: later(() => import('./moderation.js').then((module) => module.Moderation)),
  unverified: later(() => import('./unverified.js').then((module) => module.Unverified)),
  tray: later(() => import('./tray.js').then((module) => module.Tray)),
  stories: later(() => import('./stories.js').then((module) => module.Stories)),
  compose: later(() => import('./compose.js').then((module) => module.Compose)),
};

/** The screen of an address; the feed is not among them, as it stays where it is beneath. */
function Screen({ parts: [where, what, more], hash, user }) {
  if (where.startsWith('@')) return html`<${screen.profile} key=${where} handle=${where.slice(1).toLowerCase()} list=${what} />`;
  if (where === 'p' && what) return html`<${screen.single} key=${what} id=${what} comment=${more} />`;
  if (where === 'tags' && what) return html`<${screen.tag} key=${what} name=${fold(what)} />`;
  if (where === 'search') return html`<${screen.search} q=${what} type=${['users', 'tags'].includes(more) ? more : 'posts'} />`;
  if (where === 'moderation' && user.role === 'moderator') return html`<${screen.moderation} key=${what} state=${what} />`;
  if (['saved', 'requests', 'settings'].includes(where)) return html`<${screen[where]} />`;
  return html`<${Nowhere} hash=${hash} />`;
}

function Nowhere({ hash }) {
  useTitle('Nothing to see');
  return html`<h1 class="visually-hidden">Nothing to see</h1><${Empty} sign="search" title="Nothing to see"><p>There is no page at <bdi>${hash}</bdi>.</p><p><a class="button" href=${paths.home}>To the feed</a></p><//>`;
}

const SHOWN = 4000; // milliseconds
const WAIT = 2; // that may wait; the tray has all news
const GLANCE = 1000; // milliseconds in which nobody has read a message

/** Where a message lies over nothing that one can press, as low as there is room; else at the edge. */
function freePlace(box) {
  const modal = [...document.querySelectorAll('dialog[open]')].at(-1);
  const { left, right, height } = box.getBoundingClientRect();
  const around = 16; // more than it moves while it arrives
  const taken = [...(modal ?? document).querySelectorAll('a, button, input, textarea, select, label, summary, [tabindex="0"]:not(article)')]
    .filter((one) => !box.contains(one) && !one.closest('.skip')).map((one) => one.getBoundingClientRect())
    .filter((one) => one.width && one.bottom > 0 && one.top < innerHeight && one.right > left - around && one.left < right + around);
  for (let top = innerHeight - height - 12; top > 0; top -= 4) {
    if (!taken.some((one) => one.bottom > top - around && one.top < top + height + around)) return top;
  }
  return null;
}

/**
 * Short messages, one at a time; screen readers hear them as they come. What answers an action shows at once, and the answer before
 * after it, if nobody can have read that yet. News wait for their turn, those of one group as one: the newest takes the place of
 * the one before.
 */
export function Messages({ words }) {
  const [queue, setQueue] = useState([]); // the first is shown
  const box = useRef(null);
  const [held, setHeld] = useState(false); // somebody is reading it
  const [one] = queue;
  useEffect(() => words.listen((text, { sign = '', group = '' } = {}) => {
    const now = performance.now();
    const next = { text, sign, group, since: now, key: Math.random() };
    setQueue((all) => {
      if (!group) return [next, ...all.filter((other) => other.group || now - other.since < GLANCE)].slice(0, WAIT + 1);
      const at = all.findIndex((other) => other.group === group);
      return at < 0 ? [...all, next].slice(0, WAIT + 1) : all.map((other, index) => (index === at ? next : other));
    });
  }), [words]);
  const end = () => setQueue((all) => all.filter((other) => other !== one));
  useEffect(() => {
    if (!one || held) return undefined;
    const timer = setTimeout(end, SHOWN);
    return () => clearTimeout(timer);
  }, [one, held]);
  useLayoutEffect(() => {
    if (!one) return setHeld(false);
    if (document.querySelector('dialog[open]')) { // which would else lie above it
      box.current.hidePopover?.();
      box.current.showPopover?.();
    }
    const place = () => {
      const top = freePlace(box.current.querySelector('.word'));
      box.current.toggleAttribute('data-placed', top !== null);
      if (top !== null) box.current.style.setProperty('--top', `${top}px`);
    };
    place();
    addEventListener('popstate', place); // the dialog that it was said in is closed: other controls are there
    return () => removeEventListener('popstate', place);
  }, [one]);
  useLayoutEffect(() => box.current.showPopover?.(), []);
  return html`<div class="words" ref=${box} popover="manual" onPointerEnter=${() => setHeld(true)} onPointerLeave=${() => setHeld(false)} onFocusIn=${() => setHeld(true)} onFocusOut=${() => setHeld(false)}>
    <div role="status" aria-live="polite">${one && html`<p key=${one.key} class="word">${one.sign && html`<${Sign} name=${one.sign} />`}<span dir="auto">${one.text}</span>
      <button type="button" class="word-end" aria-label="Dismiss" onClick=${end}><${Sign} name="close" /></button></p>`}</div></div>`;
}

/** What is the matter with the connection, if anything; short breaks belong to live updates. */
function Connection() {
  const { live: { connected }, outbox, outboxChanges } = useSession();
  const [online, setOnline] = useState(navigator.onLine); // as far as the device knows
  const [late, setLate] = useState(false);
  useChannel(outboxChanges);
  useChannel(line.changes);
  useEffect(() => {
    const changed = () => setOnline(navigator.onLine);
    const events = ['online', 'offline'];
    events.forEach((name) => addEventListener(name, changed));
    return () => events.forEach((name) => removeEventListener(name, changed));
  }, []);
  useEffect(() => {
    setLate(false);
    if (connected) return undefined;
    const ask = () => pb.health.check({ requestKey: null }).catch(() => {}); // is it the server, or only its live updates?
    const timers = [setTimeout(() => ask().then(() => setLate(true)), 4000), setInterval(ask, 5000)];
    return () => timers.forEach(clearTimeout);
  }, [connected]);
  const matter = !online ? 'You are offline.' : !late ? '' : line.answers ? 'Live updates are late: what is new shows when a page is opened.' : 'The server does not answer.';
  const rest = outbox.size ? `${count(outbox.size, 'thing')} of yours will be sent when it does.` : 'Trying again…';
  return html`<p class="offline" role="status">${matter && html`<span><${Sign} name="cloud" />${matter} ${line.answers && online ? '' : online ? rest : rest.replace('it does', 'you are back')}</span>`}</p>`;
}

function Bell({ open, onClick }) {
  const { live } = useSession();
  const unseen = live.unseen();
  const shown = unseen > 99 ? '99+' : !live.complete && unseen === live.rows().length ? `${unseen}+` : String(unseen);
  return html`<button class="nav-item nav-bell" aria-haspopup="dialog" aria-expanded=${open} onClick=${onClick}
      aria-label=${unseen ? `${shown} Notifications` : 'Notifications'}>
    <span class="nav-sign"><${Sign} name="bell" />${unseen > 0 && html`<span class="badge" key=${shown} aria-hidden="true">${shown}</span>`}</span>${' '}
    <span class="nav-word" aria-hidden="true">Notifications</span></button>`;
}

const NavLink = ({ to, here, sign, word, onClick }) => html`<a class=${'nav-item nav-' + sign} href=${to} aria-current=${here ? 'page' : undefined} onClick=${onClick}>
  <span class="nav-sign"><${Sign} name=${sign} /></span><span class="nav-word">${word}</span></a>`;

let closing = Promise.resolve(); // the last session's connection

export function Home({ session }) {
  const { user, live, feed, outbox, kept } = session;
  const [dialog, setDialog] = useState('');
  const place = usePlace(kept.forget);
  const [where] = place.parts;
  const wide = useMedia('(min-width: 1180px)');
  const feedTop = useRef(0);
  const atHome = where === '';
  const [begun, setBegun] = useState(false);
  useChannel(session.liveChanges);

  useEffect(() => {
    session.begun.then(() => {
      outbox.open(); // the first photos come first
      setBegun(true);
    });
    Promise.all([closing, session.begun]).then(live.start);
    if (globalThis.Notification?.permission === 'granted') session.begun.then(() => import('../lib/push.js')).then((push) => push.renew(pb)).catch(() => {}); // else at the next start
    const woken = () => document.visibilityState === 'visible' && live.catchUp();
    const online = () => {
      live.catchUp();
      feed.check();
      outbox.flush();
    };
    document.addEventListener('visibilitychange', woken);
    addEventListener('online', online);
    return () => {
      document.removeEventListener('visibilitychange', woken);
      removeEventListener('online', online);
      outbox.close();
      closing = live.stop();
    };
  }, []);

  const first = useRef(true);
  // every place keeps where it was scrolled to: the feed always, others when one goes back to them
  useLayoutEffect(() => {
    if (!first.current) scrollTo({ top: atHome ? feedTop.current : place.back ? kept.top(place.hash) : 0, behavior: 'instant' });
    const keep = () => (atHome ? (feedTop.current = scrollY) : kept.scrolled(place.hash, scrollY));
    addEventListener('scroll', keep, { passive: true });
    return () => removeEventListener('scroll', keep);
  }, [place]);

  useEffect(() => {
    if (first.current) first.current = false;
    else document.getElementById('main')?.focus({ preventScroll: true });
  }, [place]);

  const unseen = live.unseen();
  useEffect(() => {
    countInTitle(unseen);
    if (unseen) navigator.setAppBadge?.(unseen).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
  }, [unseen]);

  const close = () => setDialog('');
  const compose = () => setDialog('compose');
  function go(path) {
    close();
    goTo(path);
  }
  function composed(posted) {
    close();
    if (!posted) return;
    feedTop.current = 0;
    goTo(paths.home);
    scrollTo({ top: 0 });
  }
  const upHome = () => atHome && scrollTo({ top: 0 });
  function skip(event) {
    event.preventDefault();
    document.getElementById('main').focus();
  }

  return html`<${Session.Provider} value=${session}>
    <a class="skip" href="#main" onClick=${skip}>Skip to the photos</a>
    <header class="bar">
      ${['', 'search', `@${user.handle}`].includes(where) ? null : html`<button class="icon-button bar-back" aria-label="Back" onClick=${() => history.back()}><${Sign} name="back" /></button>`}
      <a class="brand" href=${paths.home} onClick=${upHome}><${Mark} />doubletap</a>
      <nav class="nav" aria-label="Main">
        <${NavLink} to=${paths.home} here=${atHome} sign="home" word="Home" onClick=${upHome} />
        <${NavLink} to=${paths.search()} here=${where === 'search'} sign="search" word="Search" />
        <button class="nav-item nav-post" aria-haspopup="dialog" onClick=${compose}>
          <span class="nav-sign"><${Sign} name="plus" /></span><span class="nav-word">Post a photo</span></button>
        <${Bell} open=${dialog === 'tray'} onClick=${() => setDialog('tray')} />
        <${NavLink} to=${paths.saved} here=${where === 'saved'} sign="bookmark" word="Saved" />
        ${user.role === 'moderator' && html`<${NavLink} to=${paths.moderation} here=${where === 'moderation'} sign="shield" word="Moderation" />`}
        <a class="nav-item nav-me" href=${paths.person(user)} aria-current=${where === `@${user.handle}` ? 'page' : undefined}><span class="nav-sign"><${Avatar} user=${user} /></span>
          <span class="nav-word"><span class="visually-hidden">My profile, </span>${handleOf(user)}</span></a>
        <${NavLink} to=${paths.settings} here=${where === 'settings'} sign="gear" word="Settings" />
      </nav>
    </header>
    <main id="main" class=${atHome ? 'main main-feed' : `main main-${where.replace(/\W.*/, 'person')}`} tabindex="-1">
      <${Connection} />
      ${atHome && !user.verified && html`<${screen.unverified} quiet />`}
      <div hidden=${!atHome}><h1 class="visually-hidden">Home feed</h1><div class="stories-place">${begun && html`<${screen.stories} quiet />`}</div><${Feed} onCompose=${compose} /></div>
      ${!atHome && html`<${Screen} ...${place} user=${user} />`}
    </main>
    ${wide && atHome && html`<aside class="aside" aria-label="People"><${screen.newcomers} quiet /></aside>`}
    <${Messages} words=${session.words} />
    ${dialog === 'compose' && html`<${screen.compose} quiet onClose=${composed} />`}
    ${dialog === 'tray' && html`<${screen.tray} quiet onClose=${close} onGo=${go} />`}
  <//>`;
}
