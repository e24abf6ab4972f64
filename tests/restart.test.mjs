// A backup is restored while people like and listen: the process replaces itself and comes back with what the backup had.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { post } from './photo.mjs';
import { program, serve } from './service.mjs';
import { listen } from './stream.mjs';

const restores = Number(process.env.RESTORES ?? 5);

test('a restore comes back every time, under likes, jobs and streams', async (t) => {
  const service = await serve(t);
  const ada = await service.as('ada');
  const admin = await service.admin();
  const crowd = await service.crowd(6);
  const photos = [];
  for (let n = 0; n < 3; n++) photos.push((await post(ada)).id);
  const heard = await listen(ada, 'notifications/*');
  await admin.backups.create('state.zip');

  let files; // that the process has open
  for (let round = 1; round <= restores; round++) {
    const since = await ada.collection('comments').create({ post: photos[0], text: `since the backup, round ${round}` });
    let going = true;
    const storm = crowd.map(async (pb, n) => {
      while (going) {
        const post = photos[n % photos.length];
        try {
          const { id } = await pb.collection('likes').create({ post });
          await pb.collection('likes').delete(id);
        } catch (err) {
          // 0: it just restarts, 404: the restore took the like away, 503: it is about to end
          assert.ok([0, 404, 503].includes(err.status), `a like in a restart: ${err.status} ${JSON.stringify(err.response)}`);
          if (err.status === 0) await moment(5); // nobody listens
        }
      }
    });
    await admin.backups.restore('state.zip');
    for (const deadline = Date.now() + 60_000; ; await moment(20)) {
      assert.ok(service.running, `round ${round}: the process ended\n${service.log}`);
      assert.ok(Date.now() < deadline, `round ${round}: it did not come back\n${service.log}`);
      const gone = await admin.collection('comments').getOne(since.id).then(() => false, (err) => err.status === 404);
      if (gone) break;
    }
    going = false;
    await Promise.all(storm);
    const open = (await readdir(`/proc/${service.pid}/fd`).catch(() => [])).length;
    files ??= open;
    assert.ok(open <= files + 30, `round ${round}: ${open} files are open, ${files} after the first`);
  }

  const before = heard.messages.length;
  const connected = await service.device('ada');
  const again = await listen(connected, 'notifications/*');
  const [liker] = crowd;
  await liker.collection('likes').create({ post: photos[0] }, { requestKey: null });
  await again.next((message) => message.record.type === 'like' && message.record.post === photos[0]);
  t.diagnostic(`${restores} restores, ${before} messages in between`);
  await service.stop();
  const doctor = spawnSync(program, ['doctor', `--dir=${service.dir}`], { encoding: 'utf8' });
  assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
});
