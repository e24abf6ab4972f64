package main

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// TestWhatTheRaceDetectorDoesNotSeeRunsWithoutIt compares the Makefile's list with the tests that call testenv.SkipSequential,
// so that none of them runs nowhere.
func TestWhatTheRaceDetectorDoesNotSeeRunsWithoutIt(t *testing.T) {
	variable := func(name string) []string {
		found := regexp.MustCompile(`(?m)^` + name + ` = ((?:.*\\\n)*.*)$`).FindStringSubmatch(readFile(t, "Makefile"))
		if found == nil {
			t.Fatalf("the Makefile has no %s", name)
		}
		return strings.Fields(strings.ReplaceAll(found[1], "\\\n", " "))
	}
	tests, folders := callersOf(testenv.ParseSource(t, "."), "SkipSequential")
	if len(tests) < 5 {
		t.Fatalf("only %q call testenv.SkipSequential", tests)
	}
	if listed := slices.Sorted(slices.Values(variable("SEQUENTIAL"))); !slices.Equal(listed, tests) {
		t.Errorf("the Makefile's SEQUENTIAL is\n%q, want\n%q", listed, tests)
	}
	if listed := slices.Sorted(slices.Values(variable("SEQUENTIAL_IN"))); !slices.Equal(listed, folders) {
		t.Errorf("the Makefile's SEQUENTIAL_IN is %q, want %q", listed, folders)
	}
}

func TestSequentialChecksSeeAFault(t *testing.T) {
	tests, folders := callersOf(testenv.ParseFixture(t, map[string]string{
		"hooks/fixture_test.go":         "package hooks\n\nfunc TestMany(t *testing.T) { testenv.SkipSequential(t) }\n\nfunc TestFew(t *testing.T) { SkipOther(t) }\n",
		"internal/feed/fixture_test.go": "package feed\n\nfunc TestMore(t *testing.T) {\n\tif true {\n\t\ttestenv.SkipSequential(t)\n\t}\n}\n",
		"internal/feed/fixture.go":      "package feed\n\nfunc Skip(t testing.TB) { testenv.SkipSequential(t) }\n",
	}), "SkipSequential")
	if !slices.Equal(tests, []string{"TestMany", "TestMore"}) || !slices.Equal(folders, []string{"./hooks", "./internal/feed"}) {
		t.Errorf("got %q in %q", tests, folders)
	}
}

// callersOf returns the tests that call a function of testenv, and the folders they are in.
func callersOf(source *testenv.Source, function string) (tests, folders []string) {
	for _, file := range source.Paths() {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, declared := range source.Files[file].Decls {
			test, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(test, func(node ast.Node) bool {
				if called, ok := node.(*ast.SelectorExpr); ok && called.Sel.Name == function {
					tests, folders = append(tests, test.Name.Name), append(folders, "./"+path.Dir(file))
				}
				return true
			})
		}
	}
	slices.Sort(tests)
	slices.Sort(folders)
	return tests, slices.Compact(folders)
}
