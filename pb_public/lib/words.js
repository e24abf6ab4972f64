// Names: how a person is called, and the @handle and #hashtag inside what people write, read as the server reads them.

/** How a person is called. */
export const handleOf = (user) => user?.handle || user?.name || 'someone';

const NAMES = /(?<![\p{L}\p{M}\p{N}_.\-+@/])@([a-z0-9_]+(?:\.[a-z0-9_]+)*)(?![\p{L}\p{M}\p{N}_@])|(?<![\p{L}\p{M}\p{N}_&#/])#([\p{L}\p{M}\p{Nd}_]+)/giu;

/** Splits words into what is plain and what names somebody or something: [{text, handle?, tag?}]. */
export function namesIn(words) {
  if (!/[@#]/.test(words)) return words ? [{ text: words }] : []; // as most are, for which NAMES need not be understood
  const parts = [];
  let from = 0;
  for (const found of words.matchAll(NAMES)) {
    const [text, handle, tag] = found;
    if (handle ? handle.length < 3 || handle.length > 30 : !/[\p{L}\p{M}_]/u.test(tag)) continue;
    if (found.index > from) parts.push({ text: words.slice(from, found.index) });
    parts.push({ text, handle: handle?.toLowerCase(), tag: tag?.normalize('NFKC').toLowerCase() });
    from = found.index + text.length;
  }
  if (from < words.length) parts.push({ text: words.slice(from) });
  return parts;
}

/** The name being written at the caret: {sign: "@" or "#", typed, from, to}, or null. */
export function nameAt(words, caret) {
  const found = /(?:^|[^\p{L}\p{M}\p{N}_.\-+@#&/])([@#])([\p{L}\p{M}\p{N}_.]*)$/u.exec(words.slice(0, caret));
  return found ? { sign: found[1], typed: found[2].toLowerCase(), from: caret - found[2].length, to: caret } : null;
}
