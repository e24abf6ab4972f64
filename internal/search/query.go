package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// match is the question that FTS5 is asked for what a person typed, empty when there is no word in it: every word, or one
// that begins with it, must be there. A word is quoted, so that it has no syntax.
func match(q string) string {
	var all []string
	for _, word := range strings.Fields(spaced(norm.NFC.String(q))) {
		if strings.IndexFunc(word, inWord) >= 0 { // a phrase of none would match nothing
			end := "*"
			if strings.HasSuffix(word, "\x01") { // a whole word, as all of its kind
				end = ""
			}
			all = append(all, `"`+strings.ReplaceAll(strings.ReplaceAll(word, "\x01", " "), `"`, `""`)+`"`+end)
		}
	}
	return strings.Join(all, " ")
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// spaced puts what is between characters of scripts without spaces, as the index has them, into one phrase:
// \x01 is a space within it.
func spaced(q string) string {
	var text strings.Builder
	for _, r := range q {
		switch {
		case unicode.IsControl(r):
			text.WriteByte(' ')
		case unspaced(r):
			text.WriteByte('\x01')
			text.WriteRune(r)
			text.WriteByte('\x01')
		default:
			text.WriteRune(r)
		}
	}
	return text.String()
}

// unspaced is the set of characters of which each is a word in the index; see the migration that makes it.
func unspaced(r rune) bool {
	return r >= 0x0e00 && r <= 0x0eff || r >= 0x1000 && r <= 0x109f || r >= 0x1780 && r <= 0x17ff || r >= 0x2e80
}
