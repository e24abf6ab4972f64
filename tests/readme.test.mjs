// The JavaScript in the README, run as it stands.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { post } from './photo.mjs';
import { id, serve } from './service.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

test('the README\'s like arrives', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  await bob.collection('follows').create({ followee: id(ada) });
  const { id: photo } = await post(ada, { caption: 'the sea' });

  const readme = await readFile(here('../README.md'), 'utf8');
  const [, snippet] = readme.match(/```js\n([^]*?)```/);
  const program = here('readme.tmp.mjs'); // beside node_modules, where it finds the SDK
  await writeFile(program, `import { EventSource } from 'eventsource'
globalThis.EventSource = EventSource
const URL = ${JSON.stringify(service.url)}, PASSWORD = 'correct-horse'
${snippet}`);
  t.after(() => rm(program, { force: true }));

  const child = execFile(process.execPath, [program]);
  t.after(() => child.kill());
  let output = '';
  await new Promise((heard, failed) => {
    child.stdout.on('data', (chunk) => (output += chunk).includes('like') && heard());
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('exit', () => failed(new Error(output)));
  });
  assert.match(output, new RegExp(`create like 1 of post ${photo}`));
});
