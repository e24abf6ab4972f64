package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/doubletap/doubletap/internal/words"
)

// The length of a query, in characters.
const (
	minQueryLength = 2
	maxQueryLength = 50
)

// IsValidQuery reports whether q is long enough and not too long. One character is enough in scripts where each
// character is a word.
func IsValidQuery(q string) bool {
	n := utf8.RuneCountInString(q)
	if n >= minQueryLength || !utf8.ValidString(q) {
		return n <= maxQueryLength && utf8.ValidString(q)
	}
	first, _ := utf8.DecodeRuneInString(words.Fold(q))
	return words.IsUnspaced(first) && !unicode.IsMark(first)
}

// matchExpression returns the FTS5 query for what a person typed, or an empty text when it has no words. A row must
// have every word, or one that begins with it. Words that were typed without a space between them, as in snake_case and
// in all scripts without spaces, are a phrase. The result holds only words, so nothing that is typed has a meaning in
// FTS5's syntax.
func matchExpression(q string) string {
	var all []string
	for _, typed := range strings.FieldsFunc(q, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		folded := words.FoldedWords(typed)
		if len(folded) == 0 { // an empty phrase would match nothing
			continue
		}
		end := "*"
		if last, _ := utf8.DecodeRuneInString(folded[len(folded)-1]); words.IsUnspaced(last) { // in these scripts each character is a whole word
			end = ""
		}
		all = append(all, `"`+strings.Join(folded, " ")+`"`+end)
	}
	return strings.Join(all, " ")
}

// exactName returns the handle or hashtag that q would be if all of it is a name.
func exactName(q string) string { return strings.TrimLeft(words.Fold(q), "@#") }
