// Names: how a person is called, and the @handle and #hashtag inside what people write, read as the server reads them. The test
// vectors are the server's own: internal/words/testdata/vectors.json, by tests/fold.test.mjs.

/** @import { Piece, TextPart } from './shapes' */

/** How a person is called. */
export const handleOf = (/** @type {{ handle?: string, name?: string } | null | undefined} */ user) => user?.handle || user?.name || 'someone';

const OPTIONAL = /(?![\u3099\u309a])(?:(?=[\p{Mn}\p{Me}])[\p{Script=Inherited}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}]|[\u093c\u115f\u1160\u0640\p{Cf}\p{Variation_Selector}])/gu;
const PLAIN = new Map(Object.entries({
  æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ł: 'l', ħ: 'h', ŧ: 't', ı: 'i', ŋ: 'n', ɓ: 'b', ɖ: 'd', ɗ: 'd', ƙ: 'k', ƴ: 'y', ς: 'σ',
  ٱ: 'ا', ى: 'ي', ی: 'ي', ک: 'ك', ة: 'ه', ہ: 'ه', ە: 'ه',
}));

/** The form in which words are compared, and in which hashtags are named: see Fold in internal/words. */
export function fold(/** @type {string} */ words) {
  const unmarked = words.normalize('NFKC').replace(/[^йЙ]+/g, (others) => others.normalize('NFKD').replace(OPTIONAL, '')); // й is a letter of its own
  const cased = unmarked.toLowerCase().toUpperCase().toLowerCase(); // ẞ, ß and ss are one
  return cased.replace(/[^\0-\x7f]/gu, (letter) => PLAIN.get(letter) ?? letter).normalize('NFC');
}

const JOINERS = '\u200c\u200d·・゠〜〃\u05be\u05f3\u05f4\u0f0b\ua67e';
const inTag = (/** @type {Piece} */ { plain }) => /^[\p{L}\p{M}\p{Nd}_]+$/u.test(plain);
const inHandle = (/** @type {Piece} */ { plain }) => /^[a-z0-9_]+$/i.test(plain);
const follows = (/** @type {Piece | undefined} */ piece, /** @type {string} */ also) => piece !== undefined && (/[\p{L}\p{M}\p{Nd}_]$/u.test(piece.plain) || also.includes(piece.plain.slice(-1)));
const precedes = (/** @type {Piece | undefined} */ piece) => piece !== undefined && /^[\p{L}\p{M}\p{Nd}_@]/u.test(piece.plain);
const lengthOf = (/** @type {string} */ text) => [...text].length;

/**
 * Where the name ends that begins at a piece; joins says what may stand between two of its pieces.
 * @param {Piece[]} pieces
 * @param {number} begin
 * @param {(piece: Piece) => boolean} within
 * @param {(piece: Piece, next: boolean) => boolean} joins
 */
function endOf(pieces, begin, within, joins) {
  let end = begin;
  for (let at = begin; at < pieces.length; at++) {
    if (within(pieces[at])) end = at + 1;
    else if (end === begin || !joins(pieces[at], at === end)) break;
  }
  return end;
}

function tagAt(/** @type {Piece[]} */ pieces, /** @type {number} */ at) {
  const end = endOf(pieces, at + 1, inTag, ({ plain }) => plain.length === 1 && JOINERS.includes(plain));
  const written = pieces.slice(at + 1, end).map(({ raw }) => raw).join('');
  const tag = fold(written);
  const fits = lengthOf(tag) <= 100 && lengthOf(written.normalize('NFKC')) <= 100 && /[\p{L}\p{M}_]/u.test(tag);
  return fits && !follows(pieces[at - 1], '&#/') ? { tag, end } : null;
}

function handleAt(/** @type {Piece[]} */ pieces, /** @type {number} */ at) {
  const end = endOf(pieces, at + 1, inHandle, ({ plain }, next) => plain === '.' && next);
  const handle = pieces.slice(at + 1, end).map(({ plain }) => plain).join('').toLowerCase();
  return handle.length >= 3 && handle.length <= 30 && !follows(pieces[at - 1], '.-+@/') && !precedes(pieces[end]) ? { handle, end } : null;
}

/** Splits words into what is plain and what names somebody or something: [{text, handle?, tag?}]. */
/** @returns {TextPart[]} */
export function namesIn(/** @type {string} */ words) {
  if (!/[#@＃＠﹟﹫]/.test(words)) return words ? [{ text: words }] : []; // as most are, which need not be understood
  // a piece is a character with its marks; plain is what it is after normalization
  const pieces = Array.from(words.matchAll(/\P{M}\p{M}*|\p{M}+/gu), ([raw]) => ({ raw, plain: raw.normalize('NFKC') }));
  const tags = new Set(), handles = new Set();
  /** @type {TextPart[]} */
  const parts = [];
  let plain = '';
  for (let at = 0; at < pieces.length;) {
    /** @type {{ end: number, tag?: string, handle?: string } | null} */
    const found = pieces[at].plain === '#' ? tagAt(pieces, at) : pieces[at].plain === '@' ? handleAt(pieces, at) : null;
    const names = found?.tag ? tags : handles;
    const name = found?.tag ?? found?.handle;
    if (!found || (!names.has(name) && names.size === (found.tag ? 30 : 20))) {
      plain += pieces[at++].raw;
      continue;
    }
    names.add(name);
    if (plain) parts.push({ text: plain });
    plain = '';
    const { end, ...rest } = found;
    parts.push({ text: pieces.slice(at, end).map(({ raw }) => raw).join(''), ...rest });
    at = end;
  }
  if (plain) parts.push({ text: plain });
  return parts;
}

/** The name being written at the caret: {sign: "@" or "#", typed, from, to}, or null. */
export function nameAt(/** @type {string} */ words, /** @type {number} */ caret) {
  const found = new RegExp(`(?:^|[^\\p{L}\\p{M}\\p{Nd}_.\\-+@#&/])([@#＃＠])([\\p{L}\\p{M}\\p{Nd}_.${JOINERS}]*)$`, 'u').exec(words.slice(0, caret));
  return found ? { sign: found[1].normalize('NFKC'), typed: found[2].toLowerCase(), from: caret - found[2].length, to: caret } : null;
}
