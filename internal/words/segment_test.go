package words

import (
	"slices"
	"strings"
	"testing"
)

func TestParts(t *testing.T) {
	for s, want := range map[string][]Segment{
		"":                         nil,
		"plain":                    {{Text: "plain"}},
		"by @Ada at #Sea.":         {{Text: "by "}, {Text: "@Ada", User: "ada"}, {Text: " at "}, {Text: "#Sea", Tag: "sea"}, {Text: "."}},
		"#a#b":                     {{Text: "#a", Tag: "a"}, {Text: "#b"}},
		"mail me@example.com":      {{Text: "mail me@example.com"}},
		"#123 @ab # @":             {{Text: "#123 @ab # @"}},
		"夜#東京":                     {{Text: "夜#東京"}},
		"夜 #東京<b>":                 {{Text: "夜 "}, {Text: "#東京", Tag: "東京"}, {Text: "<b>"}},
		"a.#x @ada.b. \xff\xfe#ok": {{Text: "a."}, {Text: "#x", Tag: "x"}, {Text: " "}, {Text: "@ada.b", User: "ada.b"}, {Text: ". \xff\xfe"}, {Text: "#ok", Tag: "ok"}},
	} {
		if got := Segments(s); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

func FuzzPartsAreTheText(f *testing.F) {
	f.Add("by @Ada at #Sea.")
	f.Add("＃full @ada_x\u0301 #\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		together := ""
		for _, part := range Segments(s) {
			together += part.Text
			if part.Tag != "" && !slices.Contains(Hashtags(s), part.Tag) || part.User != "" && !slices.Contains(Mentions(s), part.User) {
				t.Errorf("%q has the part %+v, which it does not name", s, part)
			}
		}
		if together != s {
			t.Errorf("the parts of %q are %q", s, together)
		}
	})
}

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		" a\n\n b\tc ": "a b c", "\u202eevil\u2066 x\u200f": "evil x", "one two three": "one two…", strings.Repeat("x", 20): "xxxxxxxxx…", "0123456789": "0123456789", "a\x00b": "a b", "👩‍👩‍👧": "👩‍👩‍👧",
	} {
		if got := ShortLine(s, 10); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}
