// What went wrong, in words for the person who asked. PocketBase's sentences speak to developers and are put in others here;
// what the service itself says, or an owner's own hook, passes as it is.

/** @import { Problem } from './shapes' */

const numbers = (/** @type {Problem} */ { params = {}, message = '' }) => ({ min: params.min ?? message.match(/least (\d+)|between (\d+)/)?.slice(1).find(Boolean), max: params.max ?? message.match(/(?:than|and) (\d+)/)?.[1] });
const letters = (/** @type {unknown} */ n) => (Number(n) === 1 ? '1 character' : `${n} characters`);

/**
 * By the code of a field's error.
 * @type {Record<string, (of: Problem) => string>}
 */
const codes = {
  required: () => 'Please fill this in.',
  not_unique: () => 'Somebody has this already.',
  is_email: () => 'This is not an e-mail address.',
  email_domain_not_allowed: () => 'Addresses of this domain are not taken here.',
  invalid_new_email: () => 'There is an account with this address already.',
  min_text_constraint: (of) => `Use at least ${letters(numbers(of).min)}.`,
  max_text_constraint: (of) => `Use at most ${letters(numbers(of).max)}.`,
  length_out_of_range: (of) => `Use ${numbers(of).min} to ${letters(numbers(of).max)}.`,
  length_too_short: (of) => `Use at least ${letters(numbers(of).min)}.`,
  length_too_long: (of) => `Use at most ${letters(numbers(of).max)}.`,
  values_mismatch: () => 'The two are not the same.',
  invalid_old_password: () => 'This is not your present password.',
  invalid_password: () => 'This is not your password.',
  invalid_token: () => 'This link is used or too old. Ask for a new one.',
  file_size_limit: () => 'This file is too large.',
  invalid_mime_type: () => 'This is not a photo we can read. Use JPEG, PNG, WebP, GIF or HEIC.',
  too_many_files: () => 'These are too many photos.',
  too_many_values: () => 'These are too many.',
  not_enough_values: () => 'These are too few.',
  missing_rel_records: () => 'What this is about is not there any more.',
  invalid_value: () => 'Choose one of the list.',
  in_invalid: () => 'Choose one of the list.',
  invalid_format: () => 'This has a form that we cannot take.',
  match_invalid: () => 'This has a form that we cannot take.',
  not_in_invalid: () => 'This cannot be taken.',
  date_invalid: () => 'This is not a date.',
  is_url: () => 'This is not the address of a page.',
};
codes.invalid_url = codes.is_url;

/** By field, where more can be said. */
const taken = /** @type {Record<string, string>} */ ({ handle: 'This handle is taken.', email: 'There is an account with this address already.' });
const handleForm = 'Use the letters a–z, digits, _ and single dots inside.';

/** The messages of a refused form, by field name. */
export function fieldErrors(/** @type {any} */ err) {
  const fields = /** @type {Record<string, string>} */ ({});
  for (const [name, problem] of Object.entries(/** @type {Record<string, Problem>} */ (err?.response?.data ?? {}))) {
    if (!problem?.message) continue;
    const code = (problem.code ?? '').replace(/^validation_/, '');
    fields[name] = (code === 'not_unique' && taken[name]) || (name === 'handle' && /format|match/.test(code) && handleForm) || codes[code]?.(problem) || sentence(problem.message);
  }
  return fields;
}

const sentence = (/** @type {string} */ text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

/** How PocketBase's own sentences begin. */
const stock = /^(Failed to|An error occurred|Something went wrong|Missing|Invalid|The request|The requested|The authorized|The collection|The current|You are not allowed|Only superusers|Insufficient|File not found|Filesystem|Request entity|Too many|A different authentication|Unsupported|Batch|Try again later|Authentication|Not Found|Bad Request|Forbidden|Unauthorized)/i;
const suspended = /doesn't satisfy the collection requirements to authenticate/;

/** @type {Record<number, string>} */
const statuses = {
  400: 'The server did not take this as it is.',
  401: 'Your session has ended. Please sign in again.',
  403: 'You may not do this.',
  404: 'It is gone, or it is not shared with you.',
  408: 'This took too long. Try again.',
  409: 'This was changed meanwhile. Look at it again.',
  413: 'This is too large to be sent.',
  429: 'That was a lot at once. Try again in a while.',
};

/** What went wrong, in a sentence. */
export function because(/** @type {any} */ err) {
  if (!err?.status) return 'No answer came. Check your connection and try again.';
  const { message = '' } = err.response ?? {};
  if (suspended.test(message)) return 'This account is suspended.';
  if (err.status >= 500) return 'The server cannot do this right now. Try again in a moment.';
  const [field] = Object.values(fieldErrors(err));
  if (field && (!message || stock.test(message))) return field;
  return message && !stock.test(message) ? sentence(message) : statuses[err.status] ?? 'Something went wrong. Try again.';
}
