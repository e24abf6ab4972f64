package search

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsTypedBecomesWords(t *testing.T) {
	for typed, want := range map[string]string{
		"":             ``,
		"  \t\n":       ``,
		"sun":          `"sun"*`,
		"SUNSET bay":   `"sunset"* "bay"*`,
		"Café":         `"cafe"*`,
		"snake_case":   `"snake case"*`, // typed without a space: a phrase
		"@ada #sea":    `"ada"* "sea"*`,
		"東京":           `"東 京"`, // a character is a whole word, so nothing begins with the last one
		"iPhoneで":      `"iphone で"`,
		"東京 sun":       `"東 京" "sun"*`,
		`a"b`:          `"a b"*`,
		`one" OR "two`: `"one"* "or"* "two"*`,
		"one\x00two":   `"one"* "two"*`,
		"🎉":            ``, // an empty phrase would match nothing
		"🎉 sun ##":     `"sun"*`,
	} {
		if got := matchExpression(typed); got != want {
			t.Errorf("%q is searched as %s, want %s", typed, got, want)
		}
	}
}

func TestHowLongAQueryMayBe(t *testing.T) {
	for q, want := range map[string]bool{
		"": false, "a": false, "#": false, "ab": true, "@a": true, "é": false,
		"東": true, "の": true, "한": true,
		"\u0301": false, "\xff": false, "ab\xff": false,
		strings.Repeat("a", maxQueryLength): true, strings.Repeat("a", maxQueryLength+1): false,
		strings.Repeat("漢", maxQueryLength): true, strings.Repeat("漢", maxQueryLength+1): false,
	} {
		if got := IsValidQuery(q); got != want {
			t.Errorf("%q is valid: %v, want %v", q, got, want)
		}
	}
}

func TestANameIsTypedInManyWays(t *testing.T) {
	for typed, want := range map[string]string{"ada": "ada", "@Ada": "ada", "##Sea": "sea", "@#x": "x", "a@b": "a@b", "": ""} {
		if got := exactName(typed); got != want {
			t.Errorf("%q is the name %q, want %q", typed, got, want)
		}
	}
}

func TestACursorIsReadAsItWasWritten(t *testing.T) {
	for text, at := range map[string]cursor{
		"0":       {before: math.MaxInt64},
		"1":       {before: 1},
		"zz":      {before: 35*36 + 35},
		"0.1.a":   {before: math.MaxInt64, shown: []int64{1, 10}},
		"2s.2r.0": {before: 100, shown: []int64{99, 0}},
	} {
		if got := at.String(); got != text {
			t.Errorf("%+v is written as %s, want %s", at, got, text)
		}
		if got, err := parseCursor(text); err != nil || got.before != at.before || !slices.Equal(got.shown, at.shown) {
			t.Errorf("%s is read as %+v, want %+v, error %v", text, got, at, err)
		}
	}
	if at, err := parseCursor(""); err != nil || at.before != math.MaxInt64 || at.shown != nil {
		t.Errorf("the beginning is %+v, error %v", at, err)
	}
	most := strings.Repeat("1.", maxShownPlaces-1) + "1"
	if at, err := parseCursor(most); err != nil || len(at.shown) != maxShownPlaces-1 {
		t.Errorf("of %d places %d are read, error %v", maxShownPlaces, len(at.shown)+1, err)
	}
	for _, text := range []string{"-1", "1.-1", ".", "1.", "1..2", "é", "1 ", "+ü", strings.Repeat("z", 14), most + ".1", most + "."} {
		if at, err := parseCursor(text); !errors.Is(err, ErrCursor) {
			t.Errorf("%q is read as %+v, error %v", text, at, err)
		}
	}
}
