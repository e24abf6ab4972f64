// The web app: Home for those who are signed in; for all others the door, and what everybody may see.

import { html, render, useEffect, useState } from './vendor/preact.js';
import { me, pb } from './lib/api.js';
import { Home } from './screens/home.js';
import { openSession } from './screens/session.js';
import { later } from './screens/ui.js';

const SignIn = later(() => import('./screens/signin.js').then((module) => module.SignIn));
const Guest = later(() => import('./screens/guest.js').then((module) => module.Guest));
const Forgot = later(() => import('./screens/forgot.js').then((module) => module.Forgot));
const Confirm = later(() => import('./screens/confirm.js').then((module) => module.Confirm));

/** Pages for whoever is or is not signed in, to which mails lead: ["#/verify/TOKEN", "verify", "TOKEN"]. */
const mailedPage = () => /^#\/(forgot|verify|reset|change)(?:\/(.*))?$/.exec(location.hash) ?? [];

/** Places that have something for everybody. */
const open = () => /^#\/(@|p\/|tags\/)./.test(location.hash);

let session = me() && openSession(me());

/** Whoever is not signed in any more is sent no messages: the next person at this device would read them. */
function endPush() {
  if (globalThis.Notification?.permission === 'granted') import('./lib/push.js').then((push) => push.unsubscribe()).catch(() => {});
}
if (!session) endPush(); // the session ended while no window was open

function App() {
  const [, draw] = useState(0);
  const [door, setDoor] = useState(false); // who asks for it, or was signed out, stands at the door wherever that was
  useEffect(() => pb.authStore.onChange(() => {
    const user = me();
    if (!user && session) endPush(); // however it has ended
    setDoor(!user);
    session = user && (session?.user.id === user.id ? { ...session, user } : openSession(user));
    draw((n) => n + 1);
  }), []);
  useEffect(() => {
    const moved = () => {
      setDoor(false);
      draw((n) => n + 1);
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const [, what, token = ''] = mailedPage();
  if (what === 'forgot') return html`<${Forgot} quiet />`;
  if (what) return html`<${Confirm} key=${token} what=${what} token=${token} quiet />`;
  return session ? html`<${Home} key=${session.user.id} session=${session} />` : open() && !door ? html`<${Guest} quiet onJoin=${() => setDoor(true)} />` : html`<${SignIn} quiet />`;
}

history.scrollRestoration = 'manual'; // screens/router.js keeps the places
// who has the photos within the blink of an eye need not be shown that they are loading
if (session) await Promise.race([session.begun, new Promise((done) => setTimeout(done, 100))]);
const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);

// the first photos come first; without a service worker the app works, but not offline
setTimeout(() => navigator.serviceWorker?.register('/sw.js').catch(() => {}), 1000);
