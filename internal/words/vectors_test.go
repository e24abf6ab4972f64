package words

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/doubletap/doubletap/internal/testenv"
)

// readVectors reads a part of testdata/vectors.json, against which tests/fold.test.mjs tests the web app too.
func readVectors(t *testing.T, part string, into any) {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(file, &parts); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(parts[part], into); err != nil {
		t.Fatal(err)
	}
}

// unicodeForms are the normal forms in which Unicode can write the same text.
var unicodeForms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

func TestFoldHasOneFormForAllSpellings(t *testing.T) {
	var groups []struct {
		Script, Fold string
		Written      []string
	}
	readVectors(t, "fold", &groups)
	scripts := map[string]bool{}
	for _, group := range groups {
		scripts[strings.Split(group.Script, ",")[0]] = true
		for _, written := range append(group.Written, group.Fold) {
			if got := Fold(written); got != group.Fold {
				t.Errorf("%s: %q (%+[2]q) folds to %q (%+[3]q), want %q (%+[4]q)", group.Script, written, got, group.Fold)
			}
			for name, form := range unicodeForms {
				if got := Fold(form.String(written)); got != group.Fold {
					t.Errorf("%s: the %s of %q folds to %q, want %q", group.Script, name, written, got, group.Fold)
				}
			}
		}
	}
	if len(scripts) < 12 {
		t.Errorf("%d scripts, want at least 12", len(scripts))
	}
}

func TestFoldIsItsOwnFold(t *testing.T) {
	testenv.SkipSequential(t)
	for r := rune(0); r <= 0x10ffff; r++ {
		for _, s := range []string{string(r), "a" + string(r) + "b"} {
			if once := Fold(s); Fold(once) != once {
				t.Fatalf("%+q folds to %+q, and that to %+q", s, once, Fold(once))
			}
		}
	}
}

func TestNamesAreFoundAsInTheVectors(t *testing.T) {
	var texts [][]struct{ Text, Tag, Handle string }
	readVectors(t, "names", &texts)
	for _, want := range texts {
		var s string
		var parts []Segment
		for _, part := range want {
			s += part.Text
			parts = append(parts, Segment{part.Text, part.Tag, part.Handle})
		}
		if got := Segments(s); !slices.Equal(got, parts) {
			t.Errorf("%q is\n%q, want\n%q", s, got, parts)
		}
		if strings.Contains(s, "ﷺ") {
			continue // NFKC makes several words of this character, so the other forms have other names
		}
		for name, form := range unicodeForms {
			if got := Hashtags(form.String(s)); !slices.Equal(got, Hashtags(s)) {
				t.Errorf("the %s of %q has the tags %q, and it has %q", name, s, got, Hashtags(s))
			}
			if got := Mentions(form.String(s)); !slices.Equal(got, Mentions(s)) {
				t.Errorf("the %s of %q mentions %q, and it %q", name, s, got, Mentions(s))
			}
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Fußball й\u0306 ﷺ")
	f.Fuzz(func(t *testing.T, s string) {
		if once := Fold(s); Fold(once) != once {
			t.Errorf("%+q folds to %+q, and that to %+q", s, once, Fold(once))
		}
	})
}
