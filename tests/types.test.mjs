// The types that the service makes of its collections are TypeScript, say what is there, and refuse what is not.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from './service.mjs';

const modules = fileURLToPath(new URL('node_modules', import.meta.url));
const library = fileURLToPath(new URL('../pb_public/lib', import.meta.url));
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

/** A folder with the SDK, for the compiler, and the types that a service makes of its collections. */
async function workplace(t) {
  const service = await serve(t);
  const answer = await fetch(`${service.url}/api/v1/types.d.ts`);
  assert.equal(answer.status, 200);
  const dir = await mkdtemp(join(tmpdir(), 'types-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await symlink(modules, join(dir, 'node_modules'));
  return { dir, types: await answer.text() };
}

/** What the compiler finds in strict mode: nothing is the empty text. */
async function complaints(options, files) {
  const compiled = await run(process.execPath, [join(modules, 'typescript/lib/tsc.js'), '--strict', '--noEmit', ...options, ...files]).catch((err) => err);
  assert.ok(compiled.code === undefined || compiled.code === 2, `the compiler: ${compiled.stderr}`);
  return compiled.stdout;
}

test('the types compile in strict mode and hold what they say', async (t) => {
  const { dir, types } = await workplace(t);
  await writeFile(join(dir, 'types.d.ts'), types);
  await writeFile(join(dir, 'uses.ts'), uses);
  const options = ['--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext'];
  assert.equal(await complaints(options, [join(dir, 'uses.ts'), join(dir, 'types.d.ts')]), '');
});

test('the modules to copy keep to these types, as a checker of JavaScript sees them', async (t) => {
  const { dir, types } = await workplace(t);
  const lib = join(dir, 'lib');
  await cp(library, lib, { recursive: true });
  await writeFile(join(lib, 'types.d.ts'), types);
  await mkdir(join(dir, 'vendor'));
  await writeFile(join(dir, 'vendor/pocketbase.d.ts'), "export * from 'pocketbase';\nexport { default } from 'pocketbase';\n");
  const options = ['--allowJs', '--checkJs', '--target', 'esnext', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'esnext,dom,dom.iterable'];
  const files = (await readdir(lib)).map((name) => join(lib, name));
  assert.equal(await complaints(options, files), '');
  // and the compiler does look into them: a field that no post has is one complaint
  await writeFile(join(lib, 'wrong.js'), "/** @param {import('./shapes').Post} post */\nexport const wrong = (post) => post.likeCount;\n");
  assert.match(await complaints(options, [join(lib, 'wrong.js')]), /wrong\.js\(2,\d+\): error TS2551/);
});
