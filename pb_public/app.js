// The web app: the door for those who are not signed in, Home for those who are.

import { html, render, useEffect, useState } from './vendor/preact.js';
import { me, pb } from './lib/api.js';
import { Home } from './screens/home.js';
import { openSession } from './screens/session.js';
import { later } from './screens/ui.js';

const SignIn = later(() => import('./screens/signin.js').then((module) => module.SignIn));

let session = me() && openSession(me());

function App() {
  const [, draw] = useState(0);
  useEffect(() => pb.authStore.onChange(() => {
    const user = me();
    session = user && (session?.user.id === user.id ? { ...session, user } : openSession(user));
    draw((n) => n + 1);
  }), []);
  return session ? html`<${Home} key=${session.user.id} session=${session} />` : html`<${SignIn} quiet />`;
}

history.scrollRestoration = 'manual'; // screens/router.js keeps the places
// who has the photos within the blink of an eye need not be shown that they are loading
if (session) await Promise.race([session.begun, new Promise((done) => setTimeout(done, 100))]);
const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);

// the first photos come first; without a service worker the app works, but not offline
setTimeout(() => navigator.serviceWorker?.register('/sw.js').catch(() => {}), 1000);
