// Handing on the address of a page that needs no app.

/** @import { Say } from './shapes' */

/** Copies the address; say hears what to tell the person. */
export async function copy(/** @type {string} */ path, /** @type {Say} */ say) {
  const url = location.origin + path;
  try {
    await navigator.clipboard.writeText(url);
    say('The link is copied.');
  } catch {
    say(`The link is ${url}`);
  }
}

/**
 * Opens the device's own sheet, or copies the address: share('/p/' + post.id, say).
 * say hears what to tell the person.
 */
export async function share(/** @type {string} */ path, /** @type {Say} */ say) {
  if (!navigator.share) return copy(path, say);
  const url = location.origin + path;
  try {
    await navigator.share({ url });
  } catch (/** @type {any} */ err) {
    if (err.name !== 'AbortError') say(`The link is ${url}`);
  }
  return undefined;
}
