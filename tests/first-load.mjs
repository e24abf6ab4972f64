// How long it takes from the address to the first photo of the feed, and how much JavaScript that is: in a fresh
// Chromium profile each time, from the built program on loopback. Run by `make bench`.

import { chromium } from 'playwright-core';
import { flags, executablePath, skip } from './browser.mjs';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';

const times = 21;
const ends = [];
if (skip) {
  console.log(`first load: not measured, ${skip}`);
  process.exit();
}
try {
  const service = await serve({ after: (end) => ends.unshift(end) });
  const [ada, bob] = await service.cast('ada', 'bob');
  for (let n = 0; n < 40; n++) await post(ada, { caption: `number ${n}` });
  await bob.collection('follows').create({ followee: id(ada) });
  const { token, record } = bob.authStore;
  const browser = await chromium.launch({ executablePath, args: flags });
  ends.unshift(() => browser.close());

  const loads = [];
  for (let n = 0; n < times; n++) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    await context.addInitScript(begin, JSON.stringify({ token, record }));
    const page = await context.newPage();
    await settled();
    const [drawn] = await Promise.all([page.waitForEvent('console', (said) => said.text().startsWith('{')), page.goto(`${service.url}/`)]);
    loads.push(JSON.parse(drawn.text()));
    await context.close();
  }
  const sorted = loads.map((load) => load.ms).sort((a, b) => a - b);
  const kilobytes = Math.max(...loads.map((load) => load.bytes)) / 1024;
  const middle = sorted[Math.floor(times / 2)];
  console.log(`first load: ${kilobytes.toFixed(1)} KB of compressed JavaScript in ${loads[0].modules} modules (at most 60 KB wanted)`);
  console.log(`first feed item: ${middle.toFixed(0)} ms at p50, ${sorted[0].toFixed(0)} at best, ${sorted.at(-1).toFixed(0)} at worst of ${times} fresh profiles (at most 150 ms wanted)`);
} finally {
  for (const end of ends) await end();
}

/** The browser has made the profile and rests, as it does before somebody opens a page. */
function settled() {
  return new Promise((done) => setTimeout(done, 1000));
}

/** In the page: signs in, and says when the first post is drawn and what was fetched until then. Asking the page instead would slow it. */
function begin(auth) {
  localStorage.setItem('pocketbase_auth', auth);
  const observer = new MutationObserver(() => {
    if (!document.querySelector('.post:not(.skeleton)')) return;
    observer.disconnect();
    const ms = performance.now();
    requestAnimationFrame(() => {
      const scripts = performance.getEntriesByType('resource').filter(({ name, startTime }) => name.endsWith('.js') && startTime < ms);
      console.log(JSON.stringify({ ms: performance.now(), modules: scripts.length, bytes: scripts.reduce((sum, one) => sum + one.encodedBodySize, 0) }));
    });
  });
  observer.observe(document, { childList: true, subtree: true });
}
