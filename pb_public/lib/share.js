// Handing on the address of a page that needs no app.

/**
 * Opens the device's own sheet, or copies the address: share('/p/' + post.id, say).
 * say hears what to tell the person.
 */
export async function share(path, say) {
  const url = location.origin + path;
  try {
    if (navigator.share) await navigator.share({ url });
    else {
      await navigator.clipboard.writeText(url);
      say('The link is copied.');
    }
  } catch (err) {
    if (err.name !== 'AbortError') say(`The link is ${url}`);
  }
}
