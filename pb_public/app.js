// The web app: the door for those who are not signed in, Home for those who are.

import { html, render, useEffect, useState } from './vendor/preact.js';
import { me, pb } from './lib/api.js';
import { Home } from './screens/home.js';
import { later } from './screens/ui.js';

const SignIn = later(() => import('./screens/signin.js').then((module) => module.SignIn));

function App() {
  const [user, setUser] = useState(me());
  useEffect(() => pb.authStore.onChange(() => setUser(me())), []);
  return user ? html`<${Home} key=${user.id} user=${user} />` : html`<${SignIn} quiet />`;
}

history.scrollRestoration = 'manual'; // screens/router.js keeps the places
const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);

// the first load comes first; without a service worker the app works, but not offline
addEventListener('load', () => navigator.serviceWorker?.register('/sw.js').catch(() => {}));
