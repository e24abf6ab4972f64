// The built program under test: a fresh data folder, a port of its own, and a cast that speaks
// to it through the SDK.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EventSource } from 'eventsource';
import PocketBase from 'pocketbase';

globalThis.EventSource = EventSource; // the SDK needs one as soon as somebody subscribes

const here = fileURLToPath(new URL('.', import.meta.url));
/** The built program. */
export const program = resolve(here, process.env.DOUBLETAP_BIN ?? '../doubletap');
const password = 'correct-horse';

/** Starts a service that ends with the test. */
export async function serve(t, env = {}) {
  const service = new Service(await mkdtemp(join(tmpdir(), 'doubletap-')), await freePort(), env);
  t.after(() => service.remove());
  await cp(await template(), service.dir, { recursive: true });
  await service.start();
  return service;
}

/**
 * A data folder as this build of the program makes it, which all test files share: a start in a copy takes a quarter of what one
 * in an empty folder does. Passwords are hashed fast in it.
 */
async function template() {
  const { size, mtimeMs } = await stat(program);
  const dist = resolve(here, '../dist');
  const folder = join(dist, `template-${size}-${Math.round(mtimeMs)}`);
  if (existsSync(folder)) return folder;
  await mkdir(dist, { recursive: true });
  const service = new Service(await mkdtemp(join(dist, 'making-')), await freePort(), {});
  try {
    await service.start();
    const { collections } = await service.admin();
    for (const { name, fields } of await collections.getFullList({ filter: 'type = "auth"' })) {
      for (const field of fields) if (field.type === 'password') field.cost = 4; // bcrypt's least
      await collections.update(name, { fields });
    }
    await service.stop();
    await rename(service.dir, folder);
  } catch (err) {
    if (!existsSync(folder)) throw err; // another test file has made it meanwhile
  } finally {
    await service.remove();
  }
  return folder;
}

class Service {
  #child = null;
  #ended = null;
  #log = '';
  #people = new Map();

  constructor(dir, port, env) {
    this.dir = dir;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.env = env;
  }

  async start() {
    this.#log = '';
    this.#child = spawn(program, ['serve', '--dev=false', `--dir=${this.dir}`, `--http=127.0.0.1:${this.port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DOUBLETAP_SUPERUSER: `admin@example.com:${password}`, DOUBLETAP_LIMITS: 'off', ...this.env },
    });
    const note = (chunk) => (this.#log = (this.#log + chunk).slice(-20_000));
    this.#child.stdout.on('data', note);
    this.#child.stderr.on('data', note);
    let over = null;
    this.#ended = new Promise((done) => {
      const ended = (how) => done((over = how));
      this.#child.on('error', (err) => ended({ err }));
      this.#child.on('exit', (code, signal) => ended({ code, signal }));
    });
    const deadline = Date.now() + 30_000;
    for (;;) {
      const answer = await fetch(`${this.url}/api/health`).catch(() => null);
      await answer?.arrayBuffer();
      if (over) throw new Error(`${program} did not start: ${JSON.stringify(over)} ${over.err ?? ''}\n${this.#log}`);
      if (answer?.status === 200) return;
      if (Date.now() > deadline) throw new Error(`no answer from ${program} after 30 s\n${this.#log}`);
      await pause(10); // leaves the processor to the program
    }
  }

  get pid() {
    return this.#child.pid;
  }

  /** Whether the process that was started is there, which may have replaced itself. */
  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last that it printed. */
  get log() {
    return this.#log;
  }

  /** Ends it as a power switch would. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to end, which must succeed. */
  async stop() {
    this.#child.kill('SIGTERM');
    const { code, signal } = await this.#ended;
    if (code !== 0) throw new Error(`stopped with code ${code}, signal ${signal}\n${this.#log}`);
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  async remove() {
    // unsubscribing would not do: while it has no connection, the SDK goes on looking for one
    for (const person of this.#people.values()) (await person).realtime.disconnect();
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** An SDK client that nobody is signed in with; at is another address of the service. */
  guest(at = this.url) {
    const pb = new PocketBase(at);
    pb.autoCancellation(false); // parallel requests are what is tested here
    this.#people.set(pb, pb);
    return pb;
  }

  /** The SDK client of one of the cast, who signs up when first asked for. */
  as(name) {
    if (!this.#people.has(name)) this.#people.set(name, this.#signUp(name));
    return this.#people.get(name);
  }

  cast(...names) {
    return Promise.all(names.map((name) => this.as(name)));
  }

  /** n people besides the cast, signed in. */
  crowd(n) {
    return this.cast(...Array.from({ length: n }, (_, i) => `guest${i}`));
  }

  async #signUp(name) {
    const pb = this.guest();
    await pb.collection('users').create({ handle: name, name, email: `${name}@example.com`, password, passwordConfirm: password });
    await pb.collection('users').authWithPassword(`${name}@example.com`, password);
    return pb;
  }

  /** Another device of somebody who has signed up. */
  async device(name, at) {
    const pb = this.guest(at);
    await pb.collection('users').authWithPassword(name, password);
    return pb;
  }

  async admin() {
    const pb = this.guest();
    await pb.collection('_superusers').authWithPassword('admin@example.com', password);
    return pb;
  }
}

/** The id of whoever is signed in. */
export const id = (pb) => pb.authStore.record.id;

/** A port of this machine that nobody listens on. */
export async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
