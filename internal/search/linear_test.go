package search

import (
	"testing"

	"doubletap/internal/text/texttest"
)

func TestQuestionsAreReadInLinearTime(t *testing.T) {
	texttest.CheckLinear(t, map[string]func(string){
		"match":  func(s string) { matchExpression(s) },
		"name":   func(s string) { exactName(s) },
		"cursor": func(s string) { _, _ = parseCursor(s) },
	}, "doubletap/internal/search", "doubletap/internal/text", "golang.org/x/text/unicode/norm")
}
