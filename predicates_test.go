package main

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
	"github.com/doubletap/doubletap/internal/visibility"
)

const predicatesFile = "internal/visibility/predicates.go"

// predicate is a condition on who sees what that SQL spells in predicatesFile alone.
type predicate struct {
	what    string
	sql     *regexp.Regexp
	spelled string            // there
	others  map[string]string // the files that may spell it too, and why
}

var predicates = []predicate{
	{"a mute lasts", regexp.MustCompile(`until\W* = '' OR`), visibility.MuteLastsSQL("until", "{:now}"), map[string]string{
		"internal/account/handle.go": "a handle that is reserved for a time",
	}},
	{"a follow is accepted", regexp.MustCompile(`state\W* (=|IS|IN) \(?'accepted'`), visibility.FollowsSQL("{:a}", "{:b}"), map[string]string{
		"internal/collection/graph.go":        "what is counted of follows alone",
		"internal/visibility/viewerfields.go": "of a row that is joined",
		"internal/listing/feed.go":            "lists whom somebody follows, by the index that it names",
		"internal/inbox/feed.go":              "lists who follows somebody, by the index that it names",
	}},
	{"somebody blocks", regexp.MustCompile(`EXISTS \(SELECT 1 FROM \W*blocks\b`), visibility.BlocksSQL("{:a}", "{:b}"), nil},
	{"somebody mutes", regexp.MustCompile(`EXISTS \(SELECT 1 FROM \W*mutes\b`), visibility.MutesUserSQL("{:a}", "{:b}"), nil},
	{"a post is for others", regexp.MustCompile(`visibility\W* != 'private'`), visibility.ForOthersSQL("p"), nil},
	{"an account is open", regexp.MustCompile(`state\W* = 'active'\W* AND NOT [\w.\[]*private`), visibility.OpenAccountSQL("u"), nil},
}

// TestWhoSeesWhatIsSpelledOnce keeps a condition in one place: where it is spelled twice, one of them is forgotten when
// it changes, and a door shows what the others hide. Migrations are frozen, and have their own test in
// internal/visibility.
func TestWhoSeesWhatIsSpelledOnce(t *testing.T) {
	source := testenv.ParseSource(t, ".")
	for _, p := range predicates {
		files := filesWithSQL(source, p.sql)
		if !p.sql.MatchString(p.spelled) {
			t.Errorf("the pattern of when %s does not find %s", p.what, p.spelled)
		}
		for _, file := range files {
			if file != predicatesFile && p.others[file] == "" {
				t.Errorf("%s says in SQL when %s: take it from %s", file, p.what, predicatesFile)
			}
		}
		for file := range p.others {
			if !slices.Contains(files, file) {
				t.Errorf("%s does not say any more when %s", file, p.what)
			}
		}
	}
}

func TestPredicateCheckSeesAFault(t *testing.T) {
	for text, want := range map[string]bool{
		`const c = "(m.until = '' OR m.until > {:now})"`:                       true,
		"var c = `AND f.state = 'accepted'`":                                   true,
		`var c = "EXISTS (SELECT 1 FROM {{blocks}} {{b}} WHERE b.x = 1)"`:      true,
		"func f() { g(`SELECT id FROM posts WHERE visibility != 'private'`) }": true,
		"var c = `u.state = 'active' AND NOT u.private`":                       true,
		"// until = '' OR until > now\nvar c = `SELECT id FROM mutes`":         false,
		"var c = `SELECT blocker FROM blocks WHERE id = {:id}`":                false,
	} {
		source := testenv.ParseFixture(t, map[string]string{"internal/fixture.go": "package fixture\n\n" + text})
		found := slices.ContainsFunc(predicates, func(p predicate) bool { return len(filesWithSQL(source, p.sql)) > 0 })
		if found != want {
			t.Errorf("%s: found %v, want %v", text, found, want)
		}
	}
}

// filesWithSQL returns the product's files that have the SQL in a text, migrations apart.
func filesWithSQL(source *testenv.Source, sql *regexp.Regexp) (files []string) {
	for _, file := range source.Paths() {
		if !isProductFile(file) {
			continue
		}
		ast.Inspect(source.Files[file], func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && sql.MatchString(strings.Join(strings.Fields(text), " ")) && !slices.Contains(files, file) {
				files = append(files, file)
			}
			return true
		})
	}
	return files
}
