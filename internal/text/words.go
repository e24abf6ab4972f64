package text

import (
	"strings"
	"unicode"
)

// FoldedWords returns the words of s as they are found: folded, without anything between them. In scripts that are written without spaces
// each character is a word, so that a part of what stands together is found, and a single character too.
func FoldedWords(s string) []string {
	var words []string
	folded := Fold(s)
	begin := -1 // of the word that goes on, or none
	end := func(at int) {
		if begin >= 0 {
			words = append(words, folded[begin:at])
		}
		begin = -1
	}
	for at, r := range folded {
		switch {
		case !unicode.In(r, unicode.L, unicode.N, unicode.M):
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

// IsUnspaced reports whether a letter, or a mark on one, is of a script that is written without spaces between words: those of South
// East Asia, and everything from the Chinese radicals on.
func IsUnspaced(r rune) bool {
	return (r >= 0x0e00 && r <= 0x0eff || r >= 0x1000 && r <= 0x109f || r >= 0x1780 && r <= 0x17ff || r >= 0x2e80) && unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// IndexText is what a full-text index is given for texts of one row: their words, with something between two texts that no question
// has, so that no phrase reaches from one into the other.
func IndexText(texts ...string) string {
	var all strings.Builder
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
