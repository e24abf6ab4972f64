package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"doubletap/internal/text"
)

// The length of a question, in characters.
const (
	minQueryLength = 2
	maxQueryLength = 50
)

// IsValidQuery reports whether q is long enough to be asked and not too long. One character is enough where each is a word.
func IsValidQuery(q string) bool {
	n := utf8.RuneCountInString(q)
	if n >= minQueryLength || !utf8.ValidString(q) {
		return n <= maxQueryLength && utf8.ValidString(q)
	}
	first, _ := utf8.DecodeRuneInString(text.Fold(q))
	return text.IsUnspaced(first) && !unicode.IsMark(first)
}

// matchExpression is the question that FTS5 is asked for what a person typed, empty when there is no word in it: every word, or one
// that begins with it, must be there. Words that stand together, as snake_case and everything in scripts without spaces,
// are a phrase. What is asked has no syntax, as it holds nothing but words.
func matchExpression(q string) string {
	var all []string
	for _, typed := range strings.FieldsFunc(q, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		words := text.FoldedWords(typed)
		if len(words) == 0 { // a phrase of none would match nothing
			continue
		}
		end := "*"
		if last, _ := utf8.DecodeRuneInString(words[len(words)-1]); text.IsUnspaced(last) { // a whole word, as all of its kind
			end = ""
		}
		all = append(all, `"`+strings.Join(words, " ")+`"`+end)
	}
	return strings.Join(all, " ")
}

// exactName is what q names when it is all of a name: a handle or a hashtag.
func exactName(q string) string { return strings.TrimLeft(text.Fold(q), "@#") }
