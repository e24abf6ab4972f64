package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Part is a stretch of a text: plain words, or a name in them.
type Part struct {
	Text string // as written
	Tag  string // the hashtag it names, without #, or empty
	User string // the handle it names, without @, or empty
}

// Parts cuts s where its #hashtags and @mentions begin and end; together the parts are s. It finds what Hashtags and
// Mentions find, but for names that only normalization brings to light.
func Parts(s string) []Part {
	tags, users := map[string]bool{}, map[string]bool{}
	for _, name := range Hashtags(s) {
		tags[name] = true
	}
	for _, name := range Mentions(s) {
		users[name] = true
	}
	var parts []Part
	plain := 0
	for at := 0; at < len(s); {
		part, end := Part{}, at+1
		switch s[at] {
		case '#':
			if end += tagLength(s[end:]); !endsInWord(s[:at], "&#/") {
				part.Tag = fold(s[at+1 : end])
			}
		case '@':
			if end += handleLength(s[end:]); !endsInWord(s[:at], ".-+@/") {
				part.User = fold(s[at+1 : end])
			}
		}
		if !tags[part.Tag] && !users[part.User] {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
			continue
		}
		part.Text = s[at:end]
		if plain < at {
			parts = append(parts, Part{Text: s[plain:at]})
		}
		parts = append(parts, part)
		at = end
		plain = at
	}
	if plain < len(s) {
		parts = append(parts, Part{Text: s[plain:]})
	}
	return parts
}

func fold(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

// Line is s as one line of at most so many characters, cut at a word where that is possible. What would
// turn the direction of the words around it is left out.
func Line(s string, most int) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	line := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.Join(words, " "))
	runes := []rune(line)
	if len(runes) <= most {
		return line
	}
	line = string(runes[:most-1])
	if at := strings.LastIndexByte(line, ' '); at > len(line)/2 {
		line = line[:at]
	}
	return strings.TrimRight(line, " ") + "…"
}
