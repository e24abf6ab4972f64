package hooks_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// TestEachHookHasAnExample keeps go doc a manual: a hook for owners has a runnable example, and the package comment
// names it.
func TestEachHookHasAnExample(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	hooks, faults := exampleFaults(testenv.ParseSource(t, "."))
	for _, fault := range faults {
		t.Error(fault)
	}
	if hooks < 17 {
		t.Errorf("only %d hooks were found", hooks)
	}
}

func TestExampleChecksSeeAFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ comment, example, want string }{
		{"OnLike: a post is liked", "func ExampleSocial_OnLike() {\n\t// Output:\n\t// liked\n}\n", ""},
		{"OnLiked: a post is liked", "func ExampleSocial_OnLike() {\n\t// Output:\n\t// liked\n}\n", "the package comment does not name OnLike"},
		{"OnLike: a post is liked", "func ExampleSocial_OnLike() {}\n", "OnLike has no example with an output"},
		{"OnLike: a post is liked", "func ExampleSocial_OnUnlike() {\n\t// Output:\n\t// liked\n}\n", "OnLike has no example with an output"},
	} {
		_, faults := exampleFaults(testenv.ParseFixture(t, map[string]string{
			"fixture.go":      "// Package fixture is one.\n//\n//   - " + c.comment + "\npackage fixture\n\nfunc (s *Social) OnLike() {}\n\nfunc OnNothing() {}\n",
			"fixture_test.go": "package fixture_test\n\n" + c.example,
		}))
		if got := strings.Join(faults, ", "); got != c.want {
			t.Errorf("%q with %q: got %q, want %q", c.comment, c.example, got, c.want)
		}
	}
}

// exampleFaults returns how many hooks for owners the package at the root of source has, and what they lack.
func exampleFaults(source *testenv.Source) (hooks int, faults []string) {
	var product, tests []*ast.File
	for _, path := range source.Paths() {
		switch {
		case filepath.Dir(path) != ".":
		case strings.HasSuffix(path, "_test.go"):
			tests = append(tests, source.Files[path])
		default:
			product = append(product, source.Files[path])
		}
	}
	shown := map[string]*doc.Example{}
	for _, example := range doc.Examples(tests...) {
		shown[example.Name] = example
	}
	overview := strings.FieldsFunc(packageComment(product), func(r rune) bool { return strings.ContainsRune(" ,:.\n", r) })
	for _, file := range product {
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !strings.HasPrefix(f.Name.Name, "On") {
				continue
			}
			hooks++
			if example := shown["Social_"+f.Name.Name]; example == nil || example.Output == "" {
				faults = append(faults, fmt.Sprintf("%s has no example with an output", f.Name.Name))
			}
			if !slices.Contains(overview, f.Name.Name) {
				faults = append(faults, "the package comment does not name "+f.Name.Name)
			}
		}
	}
	return hooks, faults
}

func packageComment(files []*ast.File) string {
	for _, file := range files {
		if file.Doc != nil {
			return file.Doc.Text()
		}
	}
	return ""
}
