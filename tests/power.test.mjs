// A power cut takes what the disk was not told to keep. The kernel's own record of what the program asks for
// shows that no like is answered before its log is on the disk.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { post } from './photo.mjs';
import { serve } from './service.mjs';

for (const [durability, kept] of [['full', true], ['normal', false]]) {
  test(`with durability ${durability} likes are ${kept ? '' : 'not '}on the disk when they are answered`, async (t) => {
    const service = await serve(t, { DOUBLETAP_DURABILITY: durability });
    const ada = await service.as('ada');
    const crowd = await service.crowd(16);
    const photos = [];
    for (let n = 0; n < 5; n++) photos.push((await post(ada)).id);
    for (const pb of crowd) await pb.collection('likes').create({ post: photos[0] });

    const calls = await watched(service, async () => {
      for (const photo of photos.slice(1, 3)) for (const pb of crowd.slice(0, 5)) await pb.collection('likes').create({ post: photo });
      for (const photo of photos.slice(3)) await Promise.all(crowd.map((pb) => pb.collection('likes').create({ post: photo })));
    });
    const { answered, early } = judge(calls);
    t.diagnostic(`${answered} likes answered, ${early} of them before a sync`);
    assert.equal(answered, 10 + 32);
    if (kept) assert.equal(early, 0);
    else assert.ok(early > 20, 'this test would not notice');
  });
}

/** What the program asked of the kernel while something happened. */
async function watched(service, happen) {
  const record = join(service.dir, 'strace.txt');
  const strace = spawn('strace', ['-f', '-y', '-s', '80', '-e', 'trace=read,write,fsync,fdatasync', '-o', record, '-p', String(service.pid)]);
  const ended = once(strace, 'exit');
  await new Promise((attached) => strace.stderr.on('data', (words) => /attached/.test(words) && attached()));
  await happen();
  strace.kill('SIGTERM');
  await ended;
  return (await readFile(record, 'utf8')).split('\n');
}

/** Counts the likes that were answered, and those with no sync of the log between their request and their answer. */
function judge(calls) {
  const begun = new Map(); // by thread: the call that is under way
  const asked = new Map(); // by socket: syncs before its request came
  let syncs = 0;
  let answered = 0;
  let early = 0;
  for (const call of calls) {
    let [, thread, text] = /^(\d+)\s+(.*)$/.exec(call) ?? [];
    if (!text) continue;
    if (text.endsWith('<unfinished ...>')) {
      const start = text.slice(0, -'<unfinished ...>'.length).trimEnd();
      begun.set(thread, start);
      if (!start.startsWith('write(')) continue; // an answer is on its way when the write begins
      text = start;
    } else if (text.startsWith('<... ')) {
      const start = begun.get(thread) ?? '';
      begun.delete(thread);
      if (start.startsWith('write(')) continue; // seen already
      text = start + text.replace(/^<\.\.\. \w+ resumed>/, '');
    }
    const socket = /^(?:read|write)\((\d+)<(?:socket|TCP)/.exec(text)?.[1];
    if (/^f(?:data)?sync\(\d+<[^>]*data\.db-wal>\)\s+= 0/.test(text)) syncs++;
    else if (socket && /"P?OST \/api\/collections\/likes\/records/.test(text)) // Go reads the first byte apart at times
      asked.set(socket, syncs);
    else if (socket && text.startsWith('write(') && text.includes('"HTTP/1.1 200') && asked.has(socket)) {
      answered++;
      if (asked.get(socket) === syncs) early++;
      asked.delete(socket);
    }
  }
  return { answered, early };
}
