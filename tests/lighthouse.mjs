// `make lighthouse`: what Lighthouse says of the pages a stranger meets, on a phone and on a desk; less than 95 in a category ends
// with status 1. npx fetches Lighthouse, which no test needs. The demonstration is what it looks at.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { executablePath } from './browser.mjs';
import { freePort, program } from './service.mjs';

const wanted = 95;
const run = promisify(execFile);
const dir = await mkdtemp(join(tmpdir(), 'doubletap-'));
const url = `http://127.0.0.1:${await freePort()}`;
const demo = spawn(program, ['demo', `--dir=${dir}`, `--http=${new URL(url).host}`], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DOUBLETAP_LIMITS: 'off' } });
const ended = new Promise((end) => demo.on('exit', end));
try {
  await new Promise((listens, failed) => {
    demo.stdout.on('data', (chunk) => String(chunk).includes(url) && listens());
    ended.then(() => failed(new Error('the demo ended')));
  });
  const { items: [post] } = await (await fetch(`${url}/api/collections/posts/records?perPage=1&filter=${encodeURIComponent('author.handle = "ada"')}`)).json();
  const pages = { app: '/', 'app, a post': `/#/p/${post.id}`, 'shared post': `/p/${post.id}`, profile: '/@ada', hashtag: '/tags/sunset', 'docs/api': '/docs/api' };
  for (const [name, path] of Object.entries(pages)) for (const device of ['mobile', 'desktop']) console.log([name, device, ...(await ask(path, device))].join(' | '));
} finally {
  demo.kill();
  await ended;
  await rm(dir, { recursive: true, force: true });
}

/** The four scores, and what is below: a page nobody should index has no score for being found. */
async function ask(path, device) {
  const options = ['--quiet', '--output=json', '--chrome-flags=--headless --no-sandbox --disable-gpu', ...(device === 'desktop' ? ['--preset=desktop'] : [])];
  const { stdout } = await run('npx', ['--yes', 'lighthouse@12.8.2', url + path, ...options], { env: { ...process.env, CHROME_PATH: executablePath }, maxBuffer: 1 << 28 });
  const { categories, audits } = JSON.parse(stdout);
  return Object.values(categories).map(({ title, score, auditRefs }) => {
    const points = Math.round(score * 100);
    if (points >= wanted) return `${title} ${points}`;
    process.exitCode = 1;
    const missed = auditRefs.filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 0.9);
    return `${title} ${points}: ${missed.map(({ id }) => id).join(', ')}`;
  });
}
