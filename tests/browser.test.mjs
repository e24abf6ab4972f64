// The web app in two windows: what one person does, the other sees.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { phonePhoto } from './photo.mjs';
import { serve } from './service.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const axe = await readFile(new URL(import.meta.resolve('axe-core')), 'utf8');

/** A window of one person's own, which notes what a page must not do. */
async function open(browser, url, wrong) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (err) => wrong.push(`error: ${err.message}`));
  page.on('console', (message) => message.type() === 'error' && wrong.push(`console: ${message.text()} ${message.location().url}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url && !['blob:', 'data:'].includes(protocol)) wrong.push(`asks ${request.url()}`);
  });
  page.on('response', (response) => response.status() >= 400 && wrong.push(`${response.status()} for ${response.url()}`));
  await page.goto(url);
  return page;
}

async function signUp(page, handle) {
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Handle').fill(handle);
  await page.getByLabel('E-mail').fill(`${handle}@example.com`);
  await page.getByLabel('Password', { exact: true }).fill('correct-horse');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: 'Notifications' }).waitFor();
}

/** Waits for colours and places on their way; what moves for ever is not waited for. */
async function atRest() {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const moves = document.getAnimations().filter((move) => move.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(moves.map((move) => move.finished));
}

/** No barrier that can be found by a machine, by day and by night. */
async function accessible(page, where, wrong) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(atRest);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, nodes } of violations) wrong.push(`${where}, ${colorScheme}: ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`);
  }
}

const missing = !existsSync(executablePath) && !process.env.CI && `there is no ${executablePath}; CHROMIUM names another`;

test('a like in one window is a notification in the other', { skip: missing }, async (t) => {
  const browser = await chromium.launch({ executablePath, args: flags });
  t.after(() => browser.close());
  const service = await serve(t);
  const wrong = [];
  const [ada, bob] = [await open(browser, service.url, wrong), await open(browser, service.url, wrong)];
  await accessible(ada, 'the door', wrong);
  await signUp(ada, 'ada');
  await signUp(bob, 'bob');
  await accessible(ada, 'an empty feed', wrong);

  await ada.getByRole('navigation').getByRole('button', { name: 'Post a photo' }).click();
  const photo = await phonePhoto();
  const file = { name: photo.name, mimeType: photo.type, buffer: Buffer.from(await photo.arrayBuffer()) };
  await ada.locator('input[type=file]').setInputFiles(file);
  await ada.getByLabel('Description').fill('The sea under a blue sky');
  await ada.getByLabel('Caption').fill('the sea');
  await accessible(ada, 'a new post', wrong);
  await ada.getByRole('button', { name: 'Post', exact: true }).click();
  await ada.getByRole('article', { name: 'Post by ada' }).waitFor();
  await ada.getByRole('img', { name: 'The sea under a blue sky' }).waitFor();

  await bob.getByRole('link', { name: 'People', exact: true }).click();
  await bob.getByRole('button', { name: 'Follow ada' }).click();
  await bob.getByRole('button', { name: 'Following ada' }).waitFor();
  await accessible(bob, 'people', wrong);
  await bob.getByRole('link', { name: 'Home', exact: true }).click();
  const post = bob.getByRole('article', { name: 'Post by ada' });
  await post.getByText('the sea').waitFor();
  await ada.getByRole('button', { name: '1 Notifications' }).waitFor(); // the follow

  await post.getByRole('button', { name: 'Like' }).click();
  await ada.getByRole('button', { name: '2 Notifications' }).waitFor();
  await ada.getByRole('article', { name: 'Post by ada' }).getByText('1 like').waitFor();
  await accessible(ada, 'the feed', wrong);
  await ada.getByRole('button', { name: 'Notifications' }).click();
  const tray = ada.getByRole('dialog', { name: 'Notifications' });
  const like = tray.getByRole('button', { name: /bob liked your photo/ });
  await like.waitFor();
  await accessible(ada, 'the tray', wrong);

  await post.getByRole('button', { name: 'Like' }).click();
  await like.waitFor({ state: 'detached' });
  await ada.keyboard.press('Escape');
  await ada.getByRole('button', { name: 'Notifications', exact: true }).waitFor();
  assert.deepEqual(wrong, []);
});
