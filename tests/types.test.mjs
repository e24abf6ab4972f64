// The types that the service makes of its collections are TypeScript, say what is there, and refuse what is not.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from './service.mjs';

const modules = fileURLToPath(new URL('node_modules', import.meta.url));
const run = promisify(execFile);

const uses = `
import PocketBase from 'pocketbase';
import type { Collections, PostsCreate, Routes, TypedPocketBase } from './types';

const pb = new PocketBase('http://127.0.0.1') as TypedPocketBase;

export async function feed(): Promise<string[]> {
  const page = await pb.collection('feed').getList(1, 30, { expand: 'post.author' });
  return page.items.map(({ expand }) => {
    const post = expand?.post;
    const author: string | undefined = post?.expand?.author?.handle;
    const liked: string = post?.liked ?? '';
    const following: boolean | undefined = post?.expand?.author?.relationship.following;
    return [author, liked, following, post?.media?.[0]?.hash].join();
  });
}

export const post: PostsCreate = { photos: [new Blob()], caption: 'the sea', visibility: 'followers' };
export const decision: Routes['POST /api/v1/moderation/{report}']['body'] = { action: 'hide' };
export const names: (keyof Collections)[] = ['posts', 'comment_likes'];

// @ts-expect-error there is no such collection
pb.collection('jobs');
// @ts-expect-error there is no such audience
export const wrong: PostsCreate = { photos: [], visibility: 'everybody' };
// @ts-expect-error the service counts
export const counted: PostsCreate = { photos: [], likesCount: 9 };
// @ts-expect-error a photo is needed
export const bare: PostsCreate = { caption: 'nothing' };
// @ts-expect-error there is no such action
export const burn: Routes['POST /api/v1/moderation/{report}']['body'] = { action: 'burn' };
// @ts-expect-error keys of tokens are nobody's business
export const key = (user: Collections['users']) => user.tokenKey;
`;

test('the types compile in strict mode and hold what they say', async (t) => {
  const service = await serve(t);
  const answer = await fetch(`${service.url}/api/v1/types.d.ts`);
  assert.equal(answer.status, 200);
  const dir = await mkdtemp(join(tmpdir(), 'types-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await symlink(modules, join(dir, 'node_modules'));
  await writeFile(join(dir, 'types.d.ts'), await answer.text());
  await writeFile(join(dir, 'uses.ts'), uses);
  const options = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', join(dir, 'uses.ts'), join(dir, 'types.d.ts')];
  const compiled = await run(process.execPath, [join(modules, 'typescript/lib/tsc.js'), ...options]).catch((err) => err);
  assert.equal(compiled.stdout, '');
});
