// What a person is told when something is refused: never PocketBase's sentences, which are for developers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { because, fieldErrors } from '../pb_public/lib/errors.js';
import { post, smallPhoto } from './photo.mjs';
import { id, serve } from './service.mjs';

const refusal = (attempt) => attempt.then(() => assert.fail('it was not refused'), (err) => err);

/** Whether a text is written for people. */
const plain = /^[A-Z“].*[.!?]$/s;
const technical = /validation|constraint|\bvalue\b|blank|must be|relation|record|failed to|invalid|character\(s\)|auth|submitted|request|collection|mime/i;
function forPeople(words, where) {
  assert.match(words, plain, where);
  assert.doesNotMatch(words, technical, where);
}

test('a refusal is told in words for people', async (t) => {
  const service = await serve(t);
  const [ada, bob, mallory] = await service.cast('ada', 'bob', 'mallory');
  const guest = service.guest();
  const admin = await service.admin();
  const { id: photo } = await post(ada);
  const { id: hidden } = await post(ada, { visibility: 'private' });
  const account = { handle: 'carol', email: 'carol@example.com', password: 'correct-horse', passwordConfirm: 'correct-horse' };
  const signUp = (fields) => guest.collection('users').create({ ...account, ...fields });
  const me = (fields) => ada.collection('users').update(id(ada), fields);
  const file = (name, content = 'no photo at all', type = 'image/jpeg') => new File([content], name, { type });
  await admin.collection('users').update(id(mallory), { state: 'suspended' });
  const words = async (attempt, field) => {
    const err = await refusal(attempt);
    const told = field ? fieldErrors(err)[field] : because(err);
    assert.ok(told, `${field}: ${JSON.stringify(err.response)}`);
    forPeople(told, JSON.stringify(err.response));
    return told;
  };

  const wrong = [];
  for (const [what, attempt, field, exactly] of [
    ['a handle that is taken', () => signUp({ handle: 'ada' }), 'handle', 'This handle is taken.'],
    ['a handle of one letter', () => signUp({ handle: 'a' }), 'handle'],
    ['a handle with a blank', () => signUp({ handle: 'a b c' }), 'handle', 'Use the letters a–z, digits, _ and single dots inside.'],
    ['a handle that is kept back', () => signUp({ handle: 'admin' }), 'handle'],
    ['an address that is taken', () => signUp({ email: 'ada@example.com' }), 'email', 'There is an account with this address already.'],
    ['no address', () => signUp({ email: 'nothing' }), 'email', 'This is not an e-mail address.'],
    ['a short password', () => signUp({ password: 'short', passwordConfirm: 'short' }), 'password', 'Use at least 8 characters.'],
    ['a long password', () => signUp({ password: 'l'.repeat(80), passwordConfirm: 'l'.repeat(80) }), ''],
    ['another password', () => signUp({ passwordConfirm: 'something else' }), 'passwordConfirm', 'The two are not the same.'],
    ['a wrong password', () => guest.collection('users').authWithPassword('ada', 'wrong'), ''],
    ['a suspended account', () => guest.collection('users').authWithPassword('mallory', 'correct-horse'), '', 'This account is suspended.'],
    ['a wrong old password', () => me({ oldPassword: 'wrong', password: 'correct-horses', passwordConfirm: 'correct-horses' }), 'oldPassword', 'This is not your present password.'],
    ['a long name', () => me({ name: 'n'.repeat(300) }), 'name', 'Use at most 255 characters.'],
    ['a long bio', () => me({ bio: 'b'.repeat(400) }), 'bio'],
    ['a face that is none', () => me({ avatar: file('face.jpg') }), 'avatar'],
    ['a post without photos', () => ada.collection('posts').create({ caption: 'none' }), 'photos'],
    ['a post with too many photos', () => ada.collection('posts').create({ photos: Array.from({ length: 11 }, () => smallPhoto()) }), 'photos', 'These are too many photos.'],
    ['a long caption', () => post(ada, { caption: 'c'.repeat(3000) }), 'caption', 'Use at most 2200 characters.'],
    ['an audience that is none', () => post(ada, { visibility: 'cats' }), 'visibility', 'Choose one of the list.'],
    ['a comment without words', () => bob.collection('comments').create({ post: photo, text: '  ' }), 'text'],
    ['a comment on what cannot be seen', () => bob.collection('comments').create({ post: hidden, text: 'hi' }), ''],
    ['a like of what cannot be seen', () => bob.collection('likes').create({ post: hidden }), ''],
    ['a like of nothing', () => bob.collection('likes').create({ post: 'nothing' }), ''],
    ["a change of somebody else's", () => bob.collection('posts').update(photo, { caption: 'mine' }), ''],
    ['what is gone', () => bob.collection('posts').getOne('nothing'), ''],
    ['what is for people who signed in', () => guest.collection('likes').create({ post: photo }), ''],
    ['quiet hours with one end', async () => ada.collection('settings').update((await ada.collection('settings').getFirstListItem('')).id, { quietFrom: '22:00', quietTo: '' }), ''],
    ['a link that is too old', () => guest.collection('users').confirmPasswordReset('old', 'correct-horse', 'correct-horse'), ''],
    ['an address that is taken, in a change', () => ada.collection('users').requestEmailChange('bob@example.com'), ''],
  ]) {
    const told = await words(attempt(), field).catch((err) => wrong.push(`${what}: ${err.message}`));
    if (exactly && told !== exactly) wrong.push(`${what} is told ${told}`);
  }
  assert.deepEqual(wrong, []);

  // which of the photos it was
  const { response } = await refusal(ada.collection('posts').create({ photos: [smallPhoto(), file('second one.jpg'), smallPhoto()] }));
  assert.deepEqual(response.data.photos.params, { file: 'second one.jpg', index: 1 });
});

test('every code of a field and every sentence that PocketBase knows has other words', () => {
  // what PocketBase's fields and forms can say of a record that a person sends
  for (const [code, message] of Object.entries({
    required: 'cannot be blank', not_unique: 'Value must be unique', is_email: 'must be a valid email address', email_domain_not_allowed: 'Email domain is not allowed',
    invalid_new_email: 'Invalid new email address.', min_text_constraint: 'Must be at least 3 character(s).', max_text_constraint: 'Must be no more than 1 character(s).',
    length_out_of_range: 'the length must be between 2 and 50', length_too_short: 'the length must be no less than 2', length_too_long: 'the length must be no more than 71', values_mismatch: "Values don't match.",
    invalid_old_password: 'Missing or invalid old password.', invalid_password: 'Missing or invalid auth record password.', invalid_token: 'Invalid or expired token.',
    file_size_limit: 'Failed to upload "a.jpg" - the maximum allowed file size is 5 bytes.', invalid_mime_type: '"a.jpg" mime type must be one of: image/jpeg.',
    too_many_files: 'The maximum allowed files is 10', too_many_values: 'Select no more than 3', not_enough_values: 'Select at least 2', missing_rel_records: 'Failed to find all relation records with the provided ids',
    in_invalid: 'must be a valid value', invalid_value: 'Invalid value cats.', invalid_format: 'Invalid value format', match_invalid: 'must be in a valid format', not_in_invalid: 'must not be in list', date_invalid: 'must be a valid date',
    is_url: 'must be a valid URL', invalid_url: 'Must be a valid url',
  })) forPeople(fieldErrors({ response: { data: { field: { code: `validation_${code}`, message } } } }).field, code);

  for (const [status, message] of [
    [400, 'Failed to create record.'], [400, 'Failed to authenticate.'], [400, 'Something went wrong while processing your request.'], [400, 'An error occurred while loading the submitted data.'],
    [400, 'Invalid or expired token.'], [400, 'Failed to read the submitted data.'], [400, 'Batch transaction failed.'], [400, 'Missing or invalid auth record context.'], [401, 'The request requires valid record authorization token.'],
    [403, 'You are not allowed to perform this request.'], [403, 'Only superusers can perform this action.'], [403, 'The authorized record is not allowed to perform this action.'], [404, "The requested resource wasn't found."],
    [404, 'File not found.'], [413, 'Request entity too large.'], [429, 'Too Many Requests.'], [500, 'Something went wrong while processing your request.'], [503, 'x'], [0, ''],
  ]) forPeople(because({ status, response: { message, data: {} } }), message);

  // what the service or its owner says passes as it is
  assert.equal(because({ status: 403, response: { message: 'This user takes no likes.', data: {} } }), 'This user takes no likes.');
  const soon = 'That was a lot at once. Please try again in 12 seconds.';
  assert.equal(because({ status: 429, response: { message: soon, data: {} } }), soon, 'how long a limit lasts is told');
  assert.equal(because({ status: 429, response: { message: 'You have changed your handle too often.', data: {} } }), 'You have changed your handle too often.');
});
