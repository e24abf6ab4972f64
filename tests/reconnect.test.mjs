// However often a connection breaks, its device ends up knowing what the others know.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post } from './photo.mjs';
import { proxy } from './proxy.mjs';
import { random } from './random.mjs';
import { id, serve } from './service.mjs';
import { openLive } from '../pb_public/lib/live.js';
import { openTray, picture } from './tray.mjs';

const people = 8;
const rounds = 40; // of each, and more until the connection broke often enough
const breaks = 8;

test('a device on a bad line misses nothing', async (t) => {
  const service = await serve(t);
  const { below, chance } = random(t);
  const ada = await service.as('ada');
  const crowd = await service.crowd(people);
  const photos = [];
  for (let n = 0; n < 4; n++) photos.push((await post(ada)).id);

  const line = await proxy(t, service.port);
  const steady = await openTray(await service.device('ada'), { catchUp: false });
  const shaky = await openTray(await service.device('ada', line.url));
  line.harm(() => 200 + below(chance(0.5) ? 2_000 : 30_000));

  await Promise.all(crowd.map(async (pb) => {
    const said = [];
    for (let n = 0; n < rounds || shaky.connections < breaks; n++) {
      const photo = photos[below(photos.length)];
      if (chance(0.2)) said.push((await pb.collection('comments').create({ post: photo, text: 'hello' })).id);
      else if (said.length && chance(0.4)) await pb.collection('comments').delete(said.pop());
      else {
        const { liked } = await pb.collection('posts').getOne(photo);
        if (liked) await pb.collection('likes').delete(liked);
        else await pb.collection('likes').create({ post: photo });
      }
    }
  }));
  t.diagnostic(`${line.cuts} cuts, ${shaky.connections} connections, ${shaky.heard.length} of ${steady.heard.length} messages heard live`);
  line.heal();

  // a last action of somebody new ends both streams
  const last = await service.as('bob');
  const { id: final } = await post(ada);
  await last.collection('likes').create({ post: final });
  for (const tray of [steady, shaky]) await tray.until((rows) => rows.some((row) => row.post === final && row.actors[0] === id(last)), 'the last like');
  await shaky.ask();

  const stored = (await ada.collection('notifications').getFullList()).map(picture).sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(steady.state(), stored, 'the device that was never cut');
  assert.deepEqual(shaky.state(), stored, 'the device that was cut');
  assert.deepEqual([...steady.errors, ...shaky.errors], []);
});

test('the web app comes back when its line breaks in the moment in which it has connected', async (t) => {
  const service = await serve(t);
  const [ada, bob] = await service.cast('ada', 'bob');
  const { id: photo } = await post(ada);
  const device = await service.device('ada');
  const send = device.send.bind(device);
  let breaks = 2;
  device.send = async (path, options) => {
    const answer = await send(path, options);
    if (path === '/api/realtime' && breaks-- > 0) device.realtime.eventSource.onerror(new Event('error')); // while the SDK reads the answer
    return answer;
  };
  let told;
  const news = new Promise((resolve) => (told = resolve));
  const live = openLive(device, { onNews: told });
  t.after(() => live.stop());
  await live.start();
  assert.equal(live.connected, true);
  await bob.collection('likes').create({ post: photo });
  assert.equal((await news).post, photo);
});
