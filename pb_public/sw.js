// The service worker: the app opens without a connection, and the server can reach it while it is closed.

// Every file of the app; pb_public/embed_test.go sees to it that none is missing.
const FILES = [
  '/', '/app.css', '/app.js', '/screens.css', '/manifest.json', '/icon.svg', '/icon-192.png', '/icon-512.png', '/icon-maskable.png',
  '/lib/api.js', '/lib/crop.js', '/lib/cursor.js', '/lib/edge.js', '/lib/errors.js', '/lib/export.js', '/lib/feed.js', '/lib/live.js',
  '/lib/outbox.js', '/lib/photos.js', '/lib/push.js', '/lib/queue.js', '/lib/search.js', '/lib/share.js', '/lib/store.js', '/lib/stories.js', '/lib/thread.js', '/lib/upload.js', '/lib/words.js',
  '/screens/account.js', '/screens/bell.js', '/screens/block.js', '/screens/comments.js', '/screens/compose.js', '/screens/confirm.js', '/screens/crop.js', '/screens/dialog.js', '/screens/door.js', '/screens/drafts.js', '/screens/edit.js', '/screens/enlarge.js', '/screens/feed.js', '/screens/forgot.js', '/screens/grid.js', '/screens/guest.js', '/screens/home.js', '/screens/leave.js', '/screens/likers.js', '/screens/menu.js', '/screens/moderation.js', '/screens/newcomers.js', '/screens/people.js', '/screens/persons.js',
  '/screens/photos.js', '/screens/postmenu.js', '/screens/preferences.js', '/screens/profile.js', '/screens/report.js', '/screens/requests.js', '/screens/router.js',
  '/screens/saved.js', '/screens/search.js', '/screens/sentence.js', '/screens/session.js', '/screens/settings.js', '/screens/signin.js', '/screens/single.js',
  '/screens/stories.js', '/screens/story.js', '/screens/storyshare.js', '/screens/tag.js', '/screens/tray.js', '/screens/ui.js', '/screens/unverified.js', '/screens/writing.js', '/vendor/blurhash.js', '/vendor/pocketbase.js', '/vendor/preact.js',
];
const PREFIX = 'doubletap-';

/** The newest complete set of files; a page is served from one set, so that its modules fit together. */
async function newest() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX)).sort();
  return names.length ? caches.open(names.at(-1)) : null;
}

/** Fetches all files anew, mostly answered by 304, and stores them as a new set when one has changed. */
async function renew() {
  const answers = await Promise.all(FILES.map((file) => fetch(file, { cache: 'no-cache' })));
  if (answers.some((answer) => !answer.ok)) throw new Error('not every file of the app can be fetched');
  const kept = await newest();
  const tag = (answer) => answer?.headers.get('ETag') ?? Math.random();
  const same = await Promise.all(FILES.map(async (file, i) => tag(await kept?.match(file)) === tag(answers[i])));
  if (same.every(Boolean)) return;
  const fresh = await caches.open(PREFIX + String(Date.now()).padStart(15, '0'));
  await Promise.all(FILES.map((file, i) => fresh.put(file, answers[i])));
}

async function dropOld() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX)).sort();
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}

addEventListener('install', (event) => event.waitUntil(renew().then(() => skipWaiting())));
addEventListener('activate', (event) => event.waitUntil(dropOld().then(() => clients.claim())));

addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  // what the app asks the server for is not ours: answers belong to a person and to a moment
  if (method !== 'GET' || origin !== location.origin || !FILES.includes(pathname)) return;
  const opened = mode === 'navigate'; // the moment at which a newer set may take over
  const answer = (async () => {
    if (opened) await dropOld();
    return (await (await newest())?.match(pathname)) ?? fetch(event.request);
  })();
  event.respondWith(answer);
  if (opened) event.waitUntil(answer.then(renew).catch(() => {})); // offline: next time
});

/** A message from the server: {title, body, url, tag}, all of them optional. */
addEventListener('push', (event) => {
  let message = {};
  try {
    message = event.data?.json() ?? {};
  } catch {} // words we do not know are still news
  const { title = 'Doubletap', body = 'Something new is there for you.', url = '/', tag } = message;
  event.waitUntil(registration.showNotification(title, { body, tag, icon: '/icon-192.png', badge: '/icon-192.png', data: { url } }));
});

/** The shelf of lib/store.js, which a worker cannot import. */
function shelf(mode, work) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('doubletap', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('shelf');
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const request = work(opening.result.transaction('shelf', mode).objectStore('shelf'));
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    };
  });
}

/** The browser gives this device another address: the server hears of it at once, though no window is open. */
async function moved({ oldSubscription, newSubscription }) {
  const kept = await shelf('readonly', (all) => all.get('device/push'));
  if (!kept) return; // nobody is signed in here
  const keyed = async () => oldSubscription?.options.applicationServerKey ?? (await (await fetch('/api/v1/config')).json()).vapidKey;
  const made = newSubscription ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: await keyed() }));
  const { endpoint, keys } = made.toJSON();
  const ask = (method, id, body) => fetch(`/api/collections/devices/records${id}`, { method, body, headers: { Authorization: kept.token, 'Content-Type': 'application/json' } });
  const answer = await ask('POST', '', JSON.stringify({ kind: 'webpush', endpoint, keys, name: kept.name }));
  if (!answer.ok) return; // the session has ended meanwhile, or the next start tells it
  const { id } = await answer.json();
  await shelf('readwrite', (all) => all.put({ ...kept, device: id, endpoint }, 'device/push'));
  if (id !== kept.device) await ask('DELETE', `/${kept.device}`);
}
addEventListener('pushsubscriptionchange', (event) => event.waitUntil(moved(event)));

/** Where the app shows what an address of the server is about: /p/ID is for people without it. */
function inApp(address) {
  const { pathname, hash } = new URL(address ?? '/', location.origin);
  return new URL(hash || !/^\/(p\/|@|tags\/)/.test(pathname) ? `/${hash}` : `/#${pathname}`, location.origin).href;
}

/** A tap on it leads to a window that is open already, else to a new one. */
addEventListener('notificationclick', (event) => {
  event.notification.close();
  const to = inApp(event.notification.data?.url);
  event.waitUntil((async () => {
    const [open] = await clients.matchAll({ type: 'window' });
    if (!open) return clients.openWindow(to);
    await open.focus().catch(() => {}); // not every browser lets it
    return open.navigate(to);
  })());
});
