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

export async function act(id: string): Promise<string> {
  const like = await pb.collection('likes').create({ post: id });
  await pb.collection('mutes').create({ muted: id });
  await pb.collection('follows').update(id, { state: 'accepted' });
  await pb.collection('users').update(id, { avatar: null, bio: 'new' });
  await pb.collection('posts').create(new FormData());
  await pb.send('/api/v1/moderation/x', { method: 'POST', body: { action: 'hide' } });
  await pb.send('/api/v1/search', { query: { q: 'sea' } });
  const config = await pb.send('/api/v1/config');
  await pb.send('/hello', { method: 'POST', body: { anything: 1 } });
  return like.id + config.version;
}

export function mistakes() {
  // @ts-expect-error there is no such field
  void pb.collection('likes').create({ pots: 'x' });
  // @ts-expect-error the post is missing
  void pb.collection('likes').create({});
  // @ts-expect-error nobody creates a notification
  void pb.collection('notifications').create({});
  // @ts-expect-error it can be read, not unread
  void pb.collection('notifications').update('id', { read: false });
  // @ts-expect-error a person or a post
  void pb.collection('mutes').create({ muted: 'x', post: 'y' });
  // @ts-expect-error photos stay as they are
  void pb.collection('posts').update('id', { photos: [] });
  // @ts-expect-error accepting and the bell are two people's
  void pb.collection('follows').update('id', { state: 'accepted', notify: true });
  // @ts-expect-error there is no such route
  void pb.send('/api/v1/nope', { method: 'POST' });
  // @ts-expect-error nor such an action
  void pb.send('/api/v1/moderation/x', { method: 'POST', body: { action: 'burn' } });
  // @ts-expect-error and it is sent by POST
  void pb.send('/api/v1/notifications/read', { body: { before: '' } });
  // @ts-expect-error nor such a parameter
  void pb.send('/api/v1/search', { query: { words: 'sea' } });
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
