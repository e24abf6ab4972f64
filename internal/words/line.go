package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ShortLine returns s as one line of up to most characters, cut at a word where that is possible. It leaves out
// characters that would change the direction of the text around the line.
func ShortLine(s string, most int) string {
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
