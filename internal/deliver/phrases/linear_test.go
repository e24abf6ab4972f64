package phrases

import (
	"testing"

	"github.com/doubletap/doubletap/internal/words/wordstest"
)

func TestWordsArePutTogetherInLinearTime(t *testing.T) {
	wordstest.CheckLinear(t, map[string]func(string){
		"Line":  func(s string) { SingleLine(s) },
		"Short": func(s string) { ShortLine(s, 100) },
		"Say":   func(s string) { WordsFor("en").Translate(s, "actor", s) },
		"Told":  func(s string) { WordsFor("de").Sentence("like", []string{s, s}, 2, s) },
	}, "github.com/doubletap/doubletap/internal/deliver/phrases")
}
