// Generators make clients of the description of the API, and the clients work: TypeScript in strict mode, and two of Go.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from './service.mjs';

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const clients = path('clients');
const go = (...args) => run('go', ['-C', clients, ...args], { maxBuffer: 64 << 20 });

async function description(t) {
  const service = await serve(t);
  const dir = await mkdtemp(join(tmpdir(), 'openapi-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const answer = await fetch(`${service.url}/api/v1/openapi.json`);
  assert.equal(answer.status, 200);
  const file = join(dir, 'openapi.json');
  await writeFile(file, await answer.text());
  return { service, dir, file };
}

const uses = `
import type { components, paths } from './api';

type Schemas = components['schemas'];
export const post: Schemas['PostsCreateForm'] = { photos: [''], caption: 'the sea' };
export const muted: Schemas['MutesCreate'] = { muted: 'id' };
export const decision: paths['/api/v1/moderation/{report}']['post']['requestBody']['content']['application/json'] = { action: 'hide' };
export const tooMany: keyof paths['/api/collections/likes/records']['post']['responses'] = 429;

// @ts-expect-error a post is created by a form alone
export type AsJSON = paths['/api/collections/posts/records']['post']['requestBody']['content']['application/json'];
// @ts-expect-error a photo is needed
export const bare: Schemas['PostsCreateForm'] = { caption: 'nothing' };
// @ts-expect-error photos stay as they are
export const other: Schemas['PostsUpdate'] = { photos: [''] };
// @ts-expect-error somebody or something is muted
export const nobody: Schemas['MutesCreate'] = { keepNotifications: true };
`;

test('openapi-typescript: the types compile in strict mode and hold what they say', async (t) => {
  const { dir, file } = await description(t);
  await run(process.execPath, [path('node_modules/openapi-typescript/bin/cli.js'), file, '-o', join(dir, 'api.d.ts')]);
  await writeFile(join(dir, 'uses.ts'), uses);
  const options = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', join(dir, 'uses.ts'), join(dir, 'api.d.ts')];
  const compiled = await run(process.execPath, [path('node_modules/typescript/lib/tsc.js'), ...options]).catch((err) => err);
  assert.equal(compiled.stdout, '');
});

test('ogen and oapi-codegen: clients of Go sign up, share a photo, like it and mute', async (t) => {
  const { service, file } = await description(t);
  await mkdir(join(clients, 'oapi'), { recursive: true });
  await go('tool', 'ogen', '--clean', '--config', 'ogen.yml', '--target', 'ogen', '--package', 'ogen', file);
  await go('tool', 'oapi-codegen', '--config', 'oapi.yml', file);
  const { stdout } = await go('run', '-tags', 'generated', './story', service.url);
  assert.equal(stdout, 'done\n');
});
