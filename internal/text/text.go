// Package text finds whom and what people name when they write: @mentions and #hashtags.
package text

import (
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

// handleLength is the length of the handle that s begins with: words of ASCII with a dot between two of them.
func handleLength(s string) int {
	end := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			end = i + 1
		case c == '.' && i > 0 && end == i:
		default:
			return end
		}
	}
	return end
}

// tagLength is the length of the hashtag's name that s begins with.
func tagLength(s string) int {
	if end := strings.IndexFunc(s, func(r rune) bool { return !inTag(r) }); end >= 0 {
		return end
	}
	return len(s)
}

func inTag(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) || r == '_' }

func isDigit(r rune) bool { return unicode.Is(unicode.Nd, r) }

// Mentions returns the handles that s names as @handle, lower case, each once, in
// order. A handle inside a word or an e-mail address is none.
func Mentions(s string) []string {
	return collect(norm.NFKC.String(s), '@', handleLength, MaxMentions, func(name, before, after string) bool {
		return len(name) >= 3 && len(name) <= 30 && !endsInWord(before, ".-+@/") && !startsWord(after, "@")
	})
}

// Hashtags returns the names that s carries as #name, folded to lower case, each once, in
// order. A name of digits alone is none.
func Hashtags(s string) []string {
	return collect(norm.NFKC.String(s), '#', tagLength, MaxHashtags, func(name, before, _ string) bool {
		return utf8.RuneCountInString(name) <= 100 && strings.TrimFunc(name, isDigit) != "" && !endsInWord(before, "&#/")
	})
}

// collect returns the names that follow the sign and are ok, each once. It looks at no character of s more than a few times.
func collect(s string, sign byte, length func(string) int, most int, ok func(name, before, after string) bool) []string {
	var names []string
	for at := strings.IndexByte(s, sign); at >= 0 && len(names) < most; {
		start := at + 1
		end := start + length(s[start:])
		name := strings.ToLower(s[start:end])
		if name != "" && ok(name, s[:at], s[end:]) && !slices.Contains(names, name) {
			names = append(names, name)
		}
		at = strings.IndexByte(s[end:], sign)
		if at >= 0 {
			at += end
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
