// Windows onto the web app: real Chromium, the built program, and a note of everything a page must not do.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { serve } from './service.mjs';

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const axe = await readFile(new URL(import.meta.resolve('axe-core')), 'utf8');

/** Why the tests are left out where there is no browser; not where it must be there. */
export const skip = !existsSync(executablePath) && !process.env.CI && `there is no ${executablePath}; CHROMIUM names another`;

export const launch = () => chromium.launch({ executablePath, args: flags });

/** A service and a browser, both ended with the test, which must have found nothing wrong in any window. */
export async function browse(t, env) {
  const browser = await launch();
  t.after(() => browser.close()); // before the service, whose end is an error to a page
  const service = await serve(t, env);
  return new Windows(service, browser);
}

class Windows {
  wrong = [];

  constructor(service, browser) {
    this.service = service;
    this.browser = browser;
  }

  /** A window of its own for one of the cast, signed in; without a name, for somebody at the door. */
  async of(name, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
    if (name) {
      const { token, record } = (await this.service.as(name)).authStore;
      await context.addInitScript((auth) => localStorage.getItem('pocketbase_auth') ?? localStorage.setItem('pocketbase_auth', auth), JSON.stringify({ token, record }));
    }
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    this.watch(page);
    await page.goto(`${this.service.url}/${options.at ?? ''}`);
    if (name) await page.getByRole('navigation', { name: 'Main' }).waitFor();
    return page;
  }

  /** Notes errors, refusals and requests to other hosts; a page that is meant to be offline says so first. */
  watch(page) {
    const note = (what) => page.offline || this.wrong.push(what);
    page.on('pageerror', (err) => note(`error: ${err.stack}`));
    page.on('console', (message) => message.type() === 'error' && note(`console: ${message.text()} ${message.location().url}`));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.service.url && !['blob:', 'data:'].includes(protocol)) this.wrong.push(`asks ${request.url()}`);
    });
    page.on('response', (response) => response.status() >= 400 && note(`${response.status()} for ${response.request().method()} ${response.url()}`));
  }

  /** No barrier that can be found by a machine, by day and by night, in our part of the page, and nothing that sticks out at the side. */
  async accessible(page, where, part = 'html') {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(atRest);
      if (!(await page.evaluate(() => globalThis.axe !== undefined))) await page.evaluate(axe);
      // by night only the colours are others
      const { violations } = await page.evaluate(([dark, of]) => globalThis.axe.run(of, dark ? { runOnly: ['color-contrast', 'link-in-text-block'] } : { rules: { 'target-size': { enabled: true } } }), [colorScheme === 'dark', part]);
      for (const { id, nodes } of violations) this.wrong.push(`${where}, ${colorScheme}: ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`);
    }
    await this.narrow(page, where);
  }

  /** Nothing sticks out at the side. */
  async narrow(page, where) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) this.wrong.push(`${where}: ${over} pixels wider than the window`);
  }

  fine() {
    assert.deepEqual(this.wrong, []);
  }
}

/** Waits for colours and places on their way; what moves for ever is not waited for. */
async function atRest() {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const moves = document.getAnimations().filter((move) => move.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(moves.map((move) => move.finished));
}

/** A photo file as a file input takes it. */
export async function chosen(file) {
  return { name: file.name, mimeType: file.type, buffer: Buffer.from(await file.arrayBuffer()) };
}

/** Goes to a place of the app without loading the page anew. */
export async function go(page, hash) {
  await page.waitForFunction(() => !history.state?.over || document.querySelector('dialog[open]')); // a closed dialog's entry is left a moment later
  await page.evaluate((to) => { location.hash = to; }, hash);
}
