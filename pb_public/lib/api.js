// The way to the server: one PocketBase client, whether it answers, and who is signed in.

import PocketBase from '../vendor/pocketbase.js';
import { channel } from './cursor.js';

/** @import { Client, SendOptions } from './shapes' */

export { because, fieldErrors } from './errors.js';

export const pb = /** @type {Client} */ (new PocketBase(location.origin));

/** Whether the server answered when it was last asked; changes tells when that has turned. */
export const line = { answers: true, changes: channel() };
function answered(/** @type {boolean} */ yes) {
  if (line.answers === yes) return;
  line.answers = yes;
  line.changes.send();
}

/** An answer that breaks off in its body is none, as when the page is left or the line is cut: it is not to be read as {}. */
async function whole(/** @type {RequestInfo | URL} */ url, /** @type {RequestInit} */ options = {}) {
  try {
    const answer = await fetch(url, options);
    const text = await answer.text();
    answered(answer.status !== 502 && answer.status !== 504); // what a proxy says when nobody is behind it
    answer.json = async () => JSON.parse(text);
    return answer;
  } catch (/** @type {any} */ err) {
    if (err.name !== 'AbortError') answered(false);
    throw err;
  }
}
pb.beforeSend = (/** @type {string} */ url, /** @type {SendOptions} */ options) => ({ url, options: { ...options, fetch: whole } });

/** The record of whoever is signed in, or null. */
export const me = () => (pb.authStore.isValid ? pb.authStore.record : null);

/**
 * Signs in with a handle or an e-mail address.
 * @param {string} identity
 * @param {string} password
 */
export function signIn(identity, password) {
  return pb.collection('users').authWithPassword(identity.trim(), password);
}

/**
 * Makes an account and signs in with it.
 * @param {Record<'handle' | 'email' | 'password', string>} person
 */
export async function signUp({ handle, email, password }) {
  await pb.collection('users').create({ handle, email, password, passwordConfirm: password });
  return signIn(email, password);
}

let farewell = { words: '', good: false };

/** Ends the session on this device; why is shown on the sign-in page, as good news or as trouble. */
export function signOut(words = '', { good = false } = {}) {
  farewell = { words, good };
  pb.authStore.clear();
}

/** What is to be said about the end of the last session, and whether it ended as the person wished. */
export const lastWords = () => farewell.words;
export const endedWell = () => farewell.good;

/**
 * Asks whether the session still holds, and signs out when it does not.
 * On collections a dead token reads as a guest, who is shown empty lists: so
 * ask at the start and after every reconnect. Being offline ends no session.
 */
export async function checkSession() {
  const { token } = pb.authStore;
  try {
    await pb.collection('users').authRefresh({ requestKey: null });
  } catch (/** @type {any} */ err) {
    if (token !== pb.authStore.token) return; // signed out, or in anew, meanwhile
    if (err.status === 401 || err.status === 403 || err.status === 404) signOut('Your session has ended. Please sign in again.');
  }
}
