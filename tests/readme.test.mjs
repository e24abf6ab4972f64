// The first ten minutes: what the README and the program print is run as it stands.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import PocketBase from 'pocketbase';
import { freePort, program } from './service.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const running = new Set();

/** A program that ends with the test's folder, and what it has printed; until waits for words of it. */
function start(file, args) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith('DOUBLETAP_') && name !== 'DOUBLETAP_FASTPATH') delete env[name];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const said = { out: '', err: '' };
  let look = () => {};
  const ended = new Promise((done) => child.on('exit', (code) => done(code)));
  child.stdout.on('data', (chunk) => { said.out += chunk; look(); });
  child.stderr.on('data', (chunk) => { said.err += chunk; });
  const until = (words) => new Promise((found, failed) => {
    look = () => words.test(said.out) && found(said.out.match(words));
    look();
    ended.then((code) => failed(new Error(`ended with ${code}: ${said.out}${said.err}`)));
  });
  const started = { child, said, until, ended };
  running.add(started);
  ended.then(() => running.delete(started));
  return started;
}

async function folder(t) {
  const dir = await mkdtemp(join(tmpdir(), 'doubletap-'));
  t.after(async () => {
    await Promise.all([...running].map(({ child, ended }) => child.kill('SIGKILL') && ended)); // it would go on to write there
    await rm(dir, { recursive: true, force: true });
  });
  return dir;
}

test('the snippets of the README print what they say, against the demonstration, as often as they are run', async (t) => {
  const port = await freePort();
  const demo = start(program, ['demo', `--dir=${await folder(t)}`, `--http=127.0.0.1:${port}`]);
  await demo.until(/as +admin@example\.com +password \S+\n/);
  const readme = await readFile(here('../README.md'), 'utf8');
  const snippets = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);
  assert.equal(snippets.length, 1);
  for (const code of snippets) {
    const file = here('readme.tmp.mjs'); // beside node_modules, where it finds the SDK
    assert.match(code, /'http:\/\/127\.0\.0\.1:8090'/, 'the address of make demo');
    await writeFile(file, code.replace('127.0.0.1:8090', `127.0.0.1:${port}`)); // several tests run at once
    t.after(() => rm(file, { force: true }));
    for (const run of ['first', 'second']) {
      const like = start(process.execPath, [file]);
      assert.equal(await like.ended, 0, `${run}: ${like.said.err}`);
      assert.match(like.said.out, /^(create|update) like \d+ of post [a-z0-9]{15}$/m, `${run}: ${like.said.err}`);
    }
  }
});

test('a demonstration whose address is taken says so before it makes a world', async (t) => {
  const taken = createServer();
  await new Promise((ready) => taken.listen(0, '127.0.0.1', ready));
  t.after(() => taken.close());
  const dir = await folder(t);
  const demo = start(program, ['demo', `--dir=${dir}`, `--http=127.0.0.1:${taken.address().port}`]);
  assert.notEqual(await demo.ended, 0);
  assert.match(demo.said.err, /address already in use: stop what listens there, or choose another address with --http=/);
  assert.equal((await readdir(dir)).includes('storage'), false, 'photos were made');
});

test('a fresh service says where it is and how to make the first admin, which works', async (t) => {
  const dir = await folder(t);
  const url = `http://127.0.0.1:${await freePort()}`;
  const serve = () => start(program, ['serve', `--dir=${dir}`, `--http=${new URL(url).host}`]);
  const fresh = serve();
  const [, command] = await fresh.until(/no admin yet: (.*) makes the first one\.\n/);
  const lines = fresh.said.out.trim().split('\n');
  assert.equal(lines.length, 2, fresh.said.out);
  assert.equal(lines[0], `Doubletap is at ${url}, its dashboard at ${url}/_/`);
  await new Promise((done, failed) => execFile('sh', ['-c', command.replace('EMAIL', 'me@example.com').replace('PASSWORD', 'correct-horse')], (err) => (err ? failed(err) : done())));
  await new PocketBase(url).collection('_superusers').authWithPassword('me@example.com', 'correct-horse');
  fresh.child.kill('SIGTERM');
  await fresh.ended;

  const next = serve();
  await next.until(/Doubletap is at .*\n/);
  await new PocketBase(url).health.check();
  assert.equal(next.said.out.trim().split('\n').length, 1, next.said.out);
});
