package words

import (
	"strings"
	"unicode"
)

// FoldedWords returns the words of s in the form in which they are found: folded, without what stands between them. In
// scripts without spaces between words each character is a word, so that single characters and any part of a text can
// be found.
func FoldedWords(s string) []string {
	folded := Fold(s)
	words := make([]string, 0, 8)
	begin := -1 // of the word being read, -1 for none
	end := func(at int) {
		if begin >= 0 {
			words = append(words, folded[begin:at])
		}
		begin = -1
	}
	for at, r := range folded {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r):
			end(at)
		case IsUnspaced(r):
			end(at)
			words = append(words, string(r))
		case begin < 0 && !unicode.IsMark(r):
			begin = at
		}
	}
	end(len(folded))
	return words
}

// IsUnspaced reports whether a letter, or a mark on one, belongs to a script that is written without spaces between
// words: those of South East Asia, and all from the Chinese radicals on.
func IsUnspaced(r rune) bool {
	return (r >= 0x0e00 && r <= 0x0eff || r >= 0x1000 && r <= 0x109f || r >= 0x1780 && r <= 0x17ff || r >= 0x2e80) && unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// IndexText returns what the full-text index stores for the texts of one row: their words, and between two texts a sign
// that no query has, so that no phrase matches across two texts.
func IndexText(texts ...string) string {
	var all strings.Builder
	all.Grow(100) // more than most texts need
	for i, s := range texts {
		if i > 0 {
			all.WriteString(" ¦")
		}
		for _, word := range FoldedWords(s) {
			if all.Len() > 0 {
				all.WriteByte(' ')
			}
			all.WriteString(word)
		}
	}
	return all.String()
}
