// `make screenshots`: the pictures of the README, from the demonstration and a month of a made-up world beside it. With a folder
// as its argument, every screen at three widths by day and by night goes there, to be looked at.

import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import PocketBase from 'pocketbase';
import { launch } from './browser.mjs';
import { freePort, program } from './service.mjs';

const most = 100 << 10; // bytes of a picture in the repository
const run = promisify(execFile);
const kept = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const everything = process.argv[2];

const dir = await mkdtemp(join(tmpdir(), 'doubletap-'));
const url = `http://127.0.0.1:${await freePort()}`;
const demo = spawn(program, ['demo', `--dir=${dir}`, `--http=${new URL(url).host}`], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DOUBLETAP_LIMITS: 'off' } });
const ended = new Promise((end) => demo.on('exit', end));
const browser = await launch();
let world = null;
try {
  world = await furnish(await started());
  if (everything) await all(world);
  else await chosen(world);
} finally {
  world?.ada.realtime.disconnect();
  await browser.close();
  demo.kill();
  await ended;
  await rm(dir, { recursive: true, force: true });
}

/** The password of everybody in the demonstration, once it listens. */
async function started() {
  let said = '';
  return new Promise((found, failed) => {
    demo.stdout.on('data', (chunk) => {
      const [, password] = (said += chunk).match(/admin@example\.com\s+password (\S+)/) ?? [];
      if (password) found(password);
    });
    ended.then(() => failed(new Error(`the demo ended: ${said}`)));
  });
}

/** People who are signed in, and something for each page of the dashboard to show. */
async function furnish(password) {
  await run(program, ['seed', `--dir=${dir}`, '--users=40', '--posts=120', '--likes=1600', '--comments=160']);
  const signedIn = async (collection, name) => {
    const pb = new PocketBase(url);
    pb.autoCancellation(false);
    await pb.collection(collection).authWithPassword(name, password);
    return pb;
  };
  const [ada, bob, admin] = await Promise.all([signedIn('users', 'ada'), signedIn('users', 'bob'), signedIn('_superusers', 'admin@example.com')]);
  const { items: [made, other] } = await admin.collection('posts').getList(1, 2, { sort: '-likesCount', filter: `author != "${ada.authStore.record.id}" && author != "${bob.authStore.record.id}" && visibility = "public" && author.private = false`, expand: 'author' });
  const [comment] = (await admin.collection('comments').getList(1, 1, { filter: `post = "${made.id}" && deleted = false` })).items;
  await bob.collection('reports').create({ post: made.id, reason: 'spam', note: 'The same photo every day.' });
  await ada.collection('reports').create({ post: made.id, reason: 'spam' });
  if (comment) await bob.collection('reports').create({ comment: comment.id, reason: 'harassment' });
  await bob.collection('reports').create({ user: other.author, reason: 'impersonation' });
  await admin.collection('webhooks').create({ url: 'https://hooks.example.com/doubletap', events: ['like.created'] });
  await admin.collection('jobs').create({ kind: 'mail.digest', state: 'dead', payload: {}, attempts: 8, error: 'connect to mail.example.com:587: no route to host', runAt: '2026-01-01 00:00:00.000Z' });
  await ada.collection('notifications').subscribe('*', () => {}); // so that there is somebody to be told at once
  const { items: feed } = await ada.collection('feed').getList(1, 12, { expand: 'post' });
  const post = feed.map((row) => row.expand.post).sort((a, b) => b.commentsCount - a.commentsCount)[0];
  const { items: hers } = await ada.collection('posts').getList(1, 30, { filter: `author = "${ada.authStore.record.id}" && visibility != "private"` });
  for (const { id } of hers) {
    const mine = await bob.collection('likes').getFullList({ filter: `post = "${id}" && user = "${bob.authStore.record.id}"` });
    if (mine.length) await bob.collection('likes').delete(mine[0].id);
    await bob.collection('likes').create({ post: id });
  }
  const tag = (await ada.collection('hashtags').getList(1, 1, { sort: '-postsCount' })).items[0];
  const [{ id }] = (await admin.collection('users').getList(1, 1, { filter: `handle != "ada" && handle != "bob" && id != "${made.author}" && id != "${other.author}" && state = "active"` })).items;
  await admin.collection('users').update(id, { role: 'moderator' });
  const moderator = await admin.collection('users').impersonate(id, 3600);
  return { ada, admin, moderator, post, tag, reported: made };
}

/** A window for somebody of the web app, of the dashboard, or for nobody. */
async function open(who, options) {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...options });
  if (who) {
    const key = who.authStore.isSuperuser ? '__pb_superusers__/_' : 'pocketbase_auth';
    await context.addInitScript(([name, auth]) => localStorage.setItem(name, auth), [key, JSON.stringify({ token: who.authStore.token, record: who.authStore.record })]);
  }
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

function screens({ ada, admin, moderator, post, tag, reported }) {
  const app = (at, ready, act) => ({ who: ada, at: `#/${at}`, ready, act });
  const board = (name, ready, act) => ({ who: admin, at: `_/#/${name}`, ready: ready ?? `.dt-page .dt-stack`, act });
  return {
    door: { at: '', ready: 'form, button' },
    'sign-up': { at: '', ready: 'form', act: (page) => page.getByRole('button', { name: /account|join|sign up/i }).first().click() },
    forgot: { at: '#/forgot', ready: 'form' },
    reset: { at: '#/reset/a.b.c', ready: 'h1' },
    verify: { at: '#/verify/a.b.c', ready: 'h1' },
    change: { at: '#/change/a.b.c', ready: 'h1' },
    'guest-profile': { at: '#/@bob', ready: 'main img' },
    'guest-post': { at: `#/p/${reported.id}`, ready: 'article img' },
    nothing: { at: 'nope', ready: 'h1' },
    feed: app('', 'article img'),
    post: app(`p/${post.id}`, 'article img'),
    tray: app('', 'article img', async (page) => {
      await page.getByRole('button', { name: /Notifications/ }).click();
      await page.getByRole('dialog', { name: 'Notifications' }).getByRole('button').nth(2).waitFor();
    }),
    compose: app('', 'article img', async (page) => {
      await page.getByRole('button', { name: 'Post a photo' }).first().click();
      await page.getByRole('dialog').waitFor();
    }),
    profile: app('@bob', 'main img'),
    own: app('@ada', 'main img'),
    story: app('', '.stories button', async (page) => {
      await page.locator('.stories li button').nth(1).click();
      await page.getByRole('dialog').locator('img').first().waitFor();
    }),
    likers: app(`p/${post.id}`, 'article img', async (page) => {
      await page.getByRole('button', { name: /^\d+ likes?/ }).first().click();
      await page.getByRole('dialog').locator('.handle').first().waitFor();
    }),
    search: app('search', 'input'),
    found: app('search/mountains', 'main .tile'),
    tag: app(`tags/${encodeURIComponent(tag?.name ?? 'sea')}`, 'main img'),
    saved: app('saved', 'main h1, main h2'),
    requests: app('requests', 'main h1, main h2'),
    settings: app('settings', 'main h2, main h1'),
    reports: { who: moderator, at: '#/moderation', ready: '.case-photos img' },
    insights: board('insights', '.dt-plot canvas'),
    moderation: board('moderation', '.dt-photos img'),
    jobs: board('jobs'),
    why: board(`why?viewer=bob&collection=posts&record=${reported.id}`, '.dt-answer'),
    'page-post': { at: `p/${reported.id}`, ready: 'img' },
    'page-person': { at: `@${reported.expand.author.handle}`, ready: 'h1' },
    'page-tag': { at: `tags/${encodeURIComponent(tag?.name ?? 'sea')}`, ready: 'img' },
    api: { at: 'docs/api', ready: 'h1' },
  };
}

function high(width) {
  return width < 600 ? 844 : 900;
}

/** Shows a screen in a window and hands it to use. */
async function show({ who, at, ready, act }, { width, height = high(width), dark, scale = 1 }, use) {
  const page = await open(who, { viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', deviceScaleFactor: scale });
  try {
    await page.goto(`${url}/${at}`);
    await page.locator(ready).filter({ visible: true }).first().waitFor();
    await act?.(page);
    await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {}); // there may be a stream
    return await use(page);
  } finally {
    await page.context().close();
  }
}

/** A picture of a page at rest: its photos are there, and nothing moves. */
async function picture(page) {
  await page.waitForFunction(() => [...document.images].every((image) => {
    const { top, bottom } = image.getBoundingClientRect();
    return image.complete || !image.checkVisibility() || top > innerHeight || bottom < 0;
  }));
  await page.evaluate(async () => {
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    await Promise.allSettled(document.getAnimations().filter((move) => move.effect.getComputedTiming().endTime !== Infinity).map((move) => move.finished));
  });
  return page.screenshot();
}

/** What the README shows, as WebP. */
async function chosen(world) {
  const of = screens(world);
  await mkdir(kept, { recursive: true });
  for (const [name, screen, how] of [
    ['feed', of.feed, { width: 1280, height: 800 }], ['post', of.post, { width: 1280, height: 800 }], ['profile', of.profile, { width: 1280, height: 800 }],
    ['feed-phone', of.feed, { width: 390, scale: 1.5 }], ['tray-phone', of.tray, { width: 390, scale: 1.5, dark: true }], ['settings-phone', of.settings, { width: 390, scale: 1.5 }],
    ['insights', of.insights, { width: 1280, height: 860 }], ['moderation', of.moderation, { width: 1280, height: 800, dark: true }],
  ]) {
    const png = join(dir, 'screenshot.png');
    const webp = join(kept, `${name}.webp`);
    await writeFile(png, await show(screen, how, picture));
    await run('cwebp', ['-quiet', '-m', '6', '-q', '78', png, '-o', webp]);
    const { size } = await stat(webp);
    console.log(`${name}.webp ${Math.ceil(size / 1024)} KB`);
    if (size > most) throw new Error(`${name}.webp is larger than ${most >> 10} KB`);
  }
}

async function all(world) {
  await mkdir(everything, { recursive: true });
  for (const [name, screen] of Object.entries(screens(world))) {
    await show(screen, { width: 1280 }, async (page) => {
      for (const width of [1280, 768, 390]) {
        await page.setViewportSize({ width, height: high(width) });
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          await writeFile(join(everything, `${name}-${width}-${colorScheme}.png`), await picture(page));
        }
      }
    });
    console.log(name);
  }
}
