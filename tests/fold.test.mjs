// The web app reads names in what people write as the server does: both are held against the same vectors.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { enough } from '../pb_public/lib/search.js';
import { fold, nameAt, namesIn } from '../pb_public/lib/words.js';

const vectors = JSON.parse(readFileSync(new URL('../internal/words/testdata/vectors.json', import.meta.url), 'utf8'));
const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'];

test('all spellings of a word have one fold', () => {
  assert.ok(vectors.fold.length > 40);
  for (const { script, fold: want, written } of vectors.fold) {
    for (const word of [want, ...written]) {
      for (const text of [word, ...forms.map((form) => word.normalize(form))]) assert.equal(fold(text), want, `${script}: ${JSON.stringify(text)}`);
    }
  }
});

test('names begin and end where the server has them', () => {
  assert.ok(vectors.names.length > 30);
  for (const parts of vectors.names) assert.deepEqual(namesIn(parts.map(({ text }) => text).join('')), parts);
});

test('a text has at most 30 hashtags and 20 mentions, each as often as it likes', () => {
  const many = (sign, n) => Array.from({ length: n }, (_, at) => `${sign}name${at}`).join(' ');
  const named = (text) => namesIn(text).filter((part) => part.tag || part.handle).length;
  assert.equal(named(`${many('#', 40)} #name3`), 31);
  assert.equal(named(`${many('@', 40)} @name3`), 21);
});

test('the name being written is found at the caret', () => {
  assert.deepEqual(nameAt('see #Fuß', 8), { sign: '#', typed: 'fuß', from: 5, to: 8 });
  assert.deepEqual(nameAt('#می\u200cخ', 5), { sign: '#', typed: 'می\u200cخ', from: 1, to: 5 });
  assert.equal(nameAt('mail@ada', 8), null);
});

test('one character is a question where it is a word', () => {
  for (const q of ['東', 'の', '한', 'ก', 'ab', 'é1']) assert.ok(enough(q), q);
  for (const q of ['', 'a', 'ж', '1', '。', '🎉', 'ｘ', '\u0e31']) assert.ok(!enough(q), q);
});
