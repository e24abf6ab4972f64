// Package text finds whom and what people name when they write: @mentions and #hashtags.
package text

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The most names that one text may carry; further ones are plain words.
const (
	MaxMentions = 20
	MaxHashtags = 30
)

var (
	handle = regexp.MustCompile(`@([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)`)
	tag    = regexp.MustCompile(`#([\pL\pM\p{Nd}_]+)`)
	letter = regexp.MustCompile(`[\pL\pM_]`)
)

// Mentions returns the handles that s names as @handle, lower case, each once, in
// order. A handle inside a word or an e-mail address is none.
func Mentions(s string) []string {
	return collect(norm.NFKC.String(s), handle, MaxMentions, func(name, before, after string) bool {
		return len(name) >= 3 && len(name) <= 30 && !endsInWord(before, ".-+@/") && !startsWord(after, "@")
	})
}

// Hashtags returns the names that s carries as #name, folded to lower case, each once, in
// order. A name of digits alone is none.
func Hashtags(s string) []string {
	return collect(norm.NFKC.String(s), tag, MaxHashtags, func(name, before, _ string) bool {
		return utf8.RuneCountInString(name) <= 100 && letter.MatchString(name) && !endsInWord(before, "&#/")
	})
}

func collect(s string, pattern *regexp.Regexp, most int, ok func(name, before, after string) bool) []string {
	var names []string
	for _, at := range pattern.FindAllStringSubmatchIndex(s, -1) {
		name := strings.ToLower(s[at[2]:at[3]])
		if ok(name, s[:at[0]], s[at[1]:]) && !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) == most {
			break
		}
	}
	return names
}

func endsInWord(s, also string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && inWord(r, also)
}

func startsWord(s, also string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && inWord(r, also)
}

func inWord(r rune, also string) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '_' || strings.ContainsRune(also, r)
}
