package search

import (
	"testing"

	"doubletap/internal/text/texttest"
)

func TestQuestionsAreReadInLinearTime(t *testing.T) {
	texttest.Linear(t, map[string]func(string){
		"match":  func(s string) { match(s) },
		"name":   func(s string) { name(s) },
		"cursor": func(s string) { _, _ = parse(s) },
	}, "doubletap/internal/search", "doubletap/internal/text", "golang.org/x/text/unicode/norm")
}
