package wording

import (
	"testing"

	"doubletap/internal/text/texttest"
)

func TestWordsArePutTogetherInLinearTime(t *testing.T) {
	texttest.Linear(t, map[string]func(string){
		"Line":  func(s string) { Line(s) },
		"Short": func(s string) { Short(s, 100) },
		"Say":   func(s string) { In("en").Say(s, "actor", s) },
		"Told":  func(s string) { In("de").Told("like", []string{s, s}, 2, s) },
	}, "doubletap/internal/deliver/wording")
}
