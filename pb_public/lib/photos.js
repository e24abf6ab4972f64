// Where photos are fetched from: tokens, sizes, and the colours that hold their place.

/** @import { Post } from './shapes' */
import { me, pb } from './api.js';

let ticket = { user: '', until: 0, token: Promise.resolve('') };

/** A short-lived file token of the signed-in user, asked for once and shared while it is good. */
export function fileToken() {
  const user = me()?.id ?? '';
  if (!user) return Promise.resolve('');
  if (ticket.user !== user || ticket.until < Date.now()) {
    const token = pb.files.getToken({ requestKey: null });
    const mine = (ticket = { user, until: Date.now() + 90_000, token });
    token.catch(() => (mine.until = 0));
  }
  return ticket.token;
}

/** Whether everybody may see the post's photos; all others need a file token. */
export function isPublic(/** @type {Post} */ post) {
  return (post.visibility || 'public') === 'public' && !post.hidden && !post.expand?.author?.private;
}

/**
 * The address of one photo of a post. thumb is "640x640f" for the whole photo at
 * most 640 pixels long (also 320, 1080, 1920), or "100x100" and "320x320" for a square cut.
 * @param {Post} post
 * @param {string} name
 * @param {string} thumb
 * @param {string} [token]
 */
export function photoURL(post, name, thumb, token) {
  return pb.files.getURL(post, name, token ? { thumb, token } : { thumb });
}

/** {w, h, hash, color} of a post's photo, once the server has looked at it. */
export function mediaOf(/** @type {Post} */ post, /** @type {number} */ index) {
  const media = Array.isArray(post.media) ? post.media[index] : null;
  return media && media.w > 0 && media.h > 0 ? media : null;
}

/** What an img needs to choose among the renditions of a whole photo: {src, srcset}. */
export function sourcesOf(/** @type {Post} */ post, /** @type {number} */ index, /** @type {string} */ token) {
  const name = post.photos[index];
  const known = mediaOf(post, index);
  const size = known ?? { w: 4, h: 5 }; // else a guess of the shape
  const longest = Math.max(size.w, size.h);
  const widths = new Map();
  for (const edge of [320, 640, 1080, 1920]) {
    const width = Math.round(((known ? Math.min(edge, longest) : edge) * size.w) / longest); // never enlarged
    if (!widths.has(width)) widths.set(width, photoURL(post, name, `${edge}x${edge}f`, token));
  }
  return { src: photoURL(post, name, '640x640f', token), srcset: [...widths].map(([width, url]) => `${url} ${width}w`).join(', ') };
}

/** The same for a square cut. */
export function squaresOf(/** @type {Post} */ post, /** @type {string} */ token) {
  const [name] = post.photos;
  return { src: photoURL(post, name, '320x320', token), srcset: `${photoURL(post, name, '100x100', token)} 100w, ${photoURL(post, name, '320x320', token)} 320w` };
}
