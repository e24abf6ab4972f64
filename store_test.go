package main

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

var storeRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|")

// TestTheStoreHoldsWhatATransactionMustFind fails for a package that looks up in the app's store what its callers could
// hand it. docs/architecture.md lists those that have a reason.
func TestTheStoreHoldsWhatATransactionMustFind(t *testing.T) {
	_, section, _ := strings.Cut(readFile(t, "docs/architecture.md"), "## Who finds what")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]bool{}
	for _, row := range storeRow.FindAllStringSubmatch(section, -1) {
		listed[row[1]] = true
	}
	found := storeUsers(testenv.ParseSource(t, "."))
	for folder, positions := range found {
		if !listed[folder] {
			t.Errorf("%s: take it as a parameter, or give the reason in docs/architecture.md", strings.Join(positions, ", "))
		}
	}
	for folder := range listed {
		if found[folder] == nil {
			t.Errorf("docs/architecture.md: %s keeps nothing in the store any more", folder)
		}
	}
}

func TestStoreChecksSeeAFault(t *testing.T) {
	for statement, want := range map[string]int{
		`app.Store().Set("a", b)`:           1,
		`tx.Store().GetOrSet("a", f)`:       1,
		`kept := e.App.Store; kept()`:       1,
		`cache.Store(value)`:                0,
		`s.plans.Store(fresh)`:              0,
		`_ = "app.Store().Get"`:             0,
		`_, _ = app.Store().Get("a").(*Of)`: 1,
	} {
		found := storeUsers(testenv.ParseFixture(t, map[string]string{"internal/feed/fixture.go": "package feed\n\nfunc fixture() {\n\t" + statement + "\n}\n"}))
		if got := len(found["internal/feed"]); got != want {
			t.Errorf("%s: found %q, want %d", statement, found, want)
		}
	}
}

// storeUsers returns where the program names an app's store, by folder. What is called Store and takes an argument is
// another.
func storeUsers(source *testenv.Source) map[string][]string {
	found := map[string][]string{}
	forServiceDeclarations(source, func(file, _ string, declaration ast.Node) {
		others := map[ast.Expr]bool{}
		for call := range nodesOf[*ast.CallExpr](declaration) {
			others[call.Fun] = len(call.Args) > 0
		}
		for selector := range nodesOf[*ast.SelectorExpr](declaration) {
			if selector.Sel.Name == "Store" && !others[selector] {
				found[path.Dir(file)] = append(found[path.Dir(file)], source.Position(selector))
			}
		}
	})
	return found
}
