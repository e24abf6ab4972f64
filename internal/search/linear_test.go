package search

import (
	"testing"

	"github.com/doubletap/doubletap/internal/words/wordstest"
)

func TestQuestionsAreReadInLinearTime(t *testing.T) {
	wordstest.CheckLinear(t, map[string]func(string){
		"match":  func(s string) { matchExpression(s) },
		"name":   func(s string) { exactName(s) },
		"cursor": func(s string) { _, _ = parseCursor(s) },
	}, "github.com/doubletap/doubletap/internal/search", "github.com/doubletap/doubletap/internal/words", "golang.org/x/text/unicode/norm")
}
