// Photos to post.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

let phone = null;

/** A photo as a phone makes it: JPEG, 12 megapixels, lying on its side, with the place it was taken at. */
export async function phonePhoto() {
  phone ??= promisify(execFile)('go', ['run', './photo'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'buffer', maxBuffer: 64 << 20,
  });
  return new File([(await phone).stdout], 'IMG_0042.jpg', { type: 'image/jpeg' });
}

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** The smallest of photos, for tests about something else. */
export const smallPhoto = () => new File([Buffer.from(pixel, 'base64')], 'small.png', { type: 'image/png' });

/** Posts a small photo and answers the record. */
export const post = (pb, fields = {}) => pb.collection('posts').create({ photos: [smallPhoto()], ...fields });
