package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which words are compared, stored as keys and found: two texts that readers take for the same
// have the same fold, whatever keyboard, case or Unicode form they were written in. It is
//
//   - NFKC with full case folding: FUSSBALL is Fußball, and a full-width letter is the plain letter;
//   - without what cannot be seen: joiners, soft hyphens, direction marks, variation selectors, the Arabic tatweel;
//   - without the marks that writers may leave out: accents of Latin, Greek and Cyrillic letters, the points of
//     Hebrew and Arabic letters, the nukta of Devanagari. Marks that make another letter stay: й, the voiced kana,
//     the vowels of Indic scripts;
//   - with plain letters for those that are typed so elsewhere: ł as l, ø as o, and the Persian letters as the Arabic ones.
//
// The web app does the same in lib/words.js; testdata/vectors.json tests both. Hashtags and the search index are stored
// folded: a release that changes Fold needs a migration that makes the jobs hashtags.fold and search.index redo them.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var plain strings.Builder
	plain.Grow(len(s))
	var before rune
	for _, r := range norm.NFKD.String(s) {
		if isUnseen(r) {
			before = 0
			continue
		}
		shortI := r == breve && (before == 'и' || before == 'И')
		if isOptional(r) && !shortI {
			continue
		}
		plain.WriteRune(r)
		before = r
	}
	folded := strings.ToLower(cases.Fold().String(plain.String())) // cases turns the small letters of Cherokee to capital ones and back
	return norm.NFC.String(plainLetters.Replace(folded))
}

const breve = '\u0306' // и with it is й, a letter of its own

// optionalIn are the scripts whose marks may be left out. Most marks belong to no script and "inherit" that of their
// letter.
var optionalIn = []*unicode.RangeTable{unicode.Inherited, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic, unicode.Syriac}

func isOptional(r rune) bool {
	switch r {
	case '\u3099', '\u309a': // か with it is が
		return false
	case '\u093c': // the nukta of Devanagari
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me) && unicode.In(r, optionalIn...)
}

func isUnseen(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u0640': // the fillers of Hangul, the tatweel
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)
}

// plainLetters replaces the letters that no Unicode form decomposes.
var plainLetters = strings.NewReplacer(
	"æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ħ", "h", "ŧ", "t", "ı", "i", "ŋ", "n",
	"ɓ", "b", "ɖ", "d", "ɗ", "d", "ƙ", "k", "ƴ", "y",
	"ٱ", "ا", "ى", "ي", "ی", "ي", "ک", "ك", "ة", "ه", "ہ", "ه", "ە", "ه",
)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
