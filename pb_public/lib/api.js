// The way to the server: one PocketBase client, who is signed in, and what to
// tell a person when a request fails.

import PocketBase from '../vendor/pocketbase.js';

export const pb = new PocketBase(location.origin);

/** An answer that breaks off in its body is none, as when the page is left or the line is cut: it is not to be read as {}. */
async function whole(url, options) {
  const answer = await fetch(url, options);
  const text = await answer.text();
  answer.json = async () => JSON.parse(text);
  return answer;
}
pb.beforeSend = (url, options) => ({ url, options: { ...options, fetch: whole } });

/** The record of whoever is signed in, or null. */
export const me = () => (pb.authStore.isValid ? pb.authStore.record : null);

/** Signs in with a handle or an e-mail address. */
export function signIn(identity, password) {
  return pb.collection('users').authWithPassword(identity.trim(), password);
}

/** Makes an account and signs in with it. */
export async function signUp({ handle, email, password }) {
  await pb.collection('users').create({ handle, email, password, passwordConfirm: password });
  return signIn(email, password);
}

let farewell = '';

/** Ends the session on this device; why is shown on the sign-in page. */
export function signOut(why = '') {
  farewell = why;
  pb.authStore.clear();
}

/** Why the last session ended, when it was not the person's own wish. */
export const lastWords = () => farewell;

/**
 * Asks whether the session still holds, and signs out when it does not.
 * On collections a dead token reads as a guest, who is shown empty lists: so
 * ask at the start and after every reconnect. Being offline ends no session.
 */
export async function checkSession() {
  const { token } = pb.authStore;
  try {
    await pb.collection('users').authRefresh({ requestKey: null });
  } catch (err) {
    if (token !== pb.authStore.token) return; // signed out, or in anew, meanwhile
    if (err.status === 401 || err.status === 403 || err.status === 404) signOut('Your session has ended. Please sign in again.');
  }
}

// Words ------------------------------------------------------------------

/** What went wrong, in a sentence for the person who asked. */
export function because(err) {
  if (!err?.status) return 'No connection. Check your network and try again.';
  if (err.status === 429) return err.response?.message || 'That was a lot at once. Try again in a while.';
  if (err.status >= 500) return 'The server cannot do this right now. Try again in a moment.';
  return err.response?.message || 'Something went wrong. Try again.';
}

const taken = { handle: 'Somebody has this handle already.', email: 'There is an account with this address already.' };

/** The messages of a refused form, by field name. */
export function fieldErrors(err) {
  const fields = {};
  for (const [name, problem] of Object.entries(err?.response?.data ?? {})) {
    if (problem?.message) fields[name] = (problem.code === 'validation_not_unique' && taken[name]) || problem.message;
  }
  return fields;
}
