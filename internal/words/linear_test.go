package words

import (
	"testing"

	"github.com/doubletap/doubletap/internal/words/wordstest"
)

func TestPassesAreLinear(t *testing.T) {
	wordstest.CheckLinear(t, map[string]func(string){
		"Fold":      func(s string) { Fold(s) },
		"IndexText": func(s string) { IndexText(s, s) },
		"Parts":     func(s string) { Segments(s) },
		"Mentions":  func(s string) { Mentions(s) },
		"Hashtags":  func(s string) { Hashtags(s) },
		"Line":      func(s string) { ShortLine(s, 60) },
		"LongLine":  func(s string) { ShortLine(s, 1<<20) },
	}, "github.com/doubletap/doubletap/internal/words", "strings", "slices", "regexp", "unicode/utf8", "golang.org/x/text/unicode/norm", "golang.org/x/text/cases", "golang.org/x/text/transform")
}
