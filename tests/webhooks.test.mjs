// The JavaScript of docs/webhooks.md, run as it stands against the program that signs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { post } from './photo.mjs';
import { freePort, id, serve } from './service.mjs';

test('the receiver in the documentation takes what is signed for it, and nothing else', async (t) => {
  const page = await readFile(new URL('../docs/webhooks.md', import.meta.url), 'utf8');
  const [, snippet] = page.match(/```js\n([^]*?)```/);
  const dir = await mkdtemp(join(tmpdir(), 'receiver-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'receiver.mjs'), snippet);

  const service = await serve(t, { DOUBLETAP_LOOPBACK: 'on' });
  const admin = await service.admin();
  const address = `127.0.0.1:${await freePort()}`;
  const events = ['like.created'];
  const { id: right, secret } = await admin.collection('webhooks').create({ url: `http://${address}/hook`, events });
  const { id: wrong } = await admin.collection('webhooks').create({ url: `http://${address}/hook`, events });

  const child = execFile(process.execPath, [join(dir, 'receiver.mjs')], { env: { ...process.env, WEBHOOK_SECRET: secret, LISTEN: address } });
  t.after(() => child.kill());
  let output = '';
  const heard = new Promise((done, failed) => {
    child.stdout.on('data', (chunk) => (output += chunk).includes('\n') && done());
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('exit', () => failed(new Error(output)));
  });

  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada, { caption: 'the sea' });
  const like = await bob.collection('likes').create({ post: photo });
  await heard;
  const [, event, body] = output.match(/^(evt_\w+) (.*)\n/);
  const { type, data } = JSON.parse(body);
  assert.deepEqual([type, data.id, data.post, data.user], ['like.created', like.id, photo, id(bob)]);

  const deliveries = (filter) => admin.collection('webhook_deliveries').getFullList({ filter });
  for (const deadline = Date.now() + 30_000; (await deliveries('status = 401 || state = "delivered"')).length < 2; await pause(50))
    assert.ok(Date.now() < deadline, 'the other webhook was not tried');
  const [taken] = await deliveries('state = "delivered"');
  const [refused] = await deliveries('status = 401');
  assert.deepEqual([taken.webhook, taken.event, refused.webhook], [right, event, wrong]);
  assert.equal(output.split('\n').length, 2, 'it took one event alone');
});
