package phrases

import (
	"regexp"
	"slices"
	"testing"
)

func TestWhatIsTold(t *testing.T) {
	for _, c := range []struct {
		locale, kind string
		actors       []string
		count        int
		want         string
	}{
		{"en", "like", []string{"Bob"}, 1, "Bob liked your photo"},
		{"en", "like", []string{"Bob", "Carol"}, 2, "Bob and Carol liked your photo"},
		{"en", "like", []string{"Bob", "Carol", "Dave"}, 100, "Bob and 99 others liked your photo"},
		{"en", "like", nil, 1, "Someone liked your photo"},
		{"en", "like", []string{"Bob\r\nBcc: x@example.com"}, 1, "Bob Bcc: x@example.com liked your photo"},
		{"en", "like", []string{"{app}\u202e"}, 1, "{app} liked your photo"},
		{"de-AT", "follow_request", []string{"Bob"}, 1, "Bob möchte dir folgen"},
		{"tlh", "follow", []string{"Bob"}, 1, "Bob follows you"},
		{"not a locale", "follow", []string{"Bob"}, 1, "Bob follows you"},
		{"", "order", nil, 0, "There is news about your order"},
		{"", "system", []string{"Bob"}, 1, "There is news from Acme"},
		{"", "wave", []string{"Bob"}, 1, "There is something new on Acme"},
	} {
		if got := WordsFor(c.locale).Sentence(c.kind, c.actors, c.count, "Acme"); got != c.want {
			t.Errorf("%s %s %v: got %q, want %q", c.locale, c.kind, c.actors, got, c.want)
		}
	}
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	place := regexp.MustCompile(`\{\w+\}`)
	for key, text := range texts[0].texts {
		for _, other := range texts[1:] {
			want, got := place.FindAllString(text, -1), place.FindAllString(other.texts[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if other.texts[key] == "" || !slices.Equal(got, want) {
				t.Errorf("%s %s: got %q, want the places of %q", other.Language, key, other.texts[key], text)
			}
			if len(other.texts) != len(texts[0].texts) {
				t.Errorf("%s has %d texts, want %d", other.Language, len(other.texts), len(texts[0].texts))
			}
		}
	}
}

func TestShort(t *testing.T) {
	for text, want := range map[string]string{"": "", "abc": "abc", "abcde": "abcde", "abcdef": "abcd…", "ab \n\t cd": "ab cd", "äöüßéñ": "äöüß…"} {
		if got := ShortLine(text, 5); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
