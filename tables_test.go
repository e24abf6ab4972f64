package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// otherTables are the places outside internal/collection that name three collections or more in one list, with the
// reason. A fact of every collection belongs into its descriptor, where a new collection cannot miss it.
var otherTables = map[string]string{
	"hooks/config.go":                     "limits that clients are told, by names of their own",
	"hooks/sweep.go":                      "the parts of deletions that are written by hand",
	"internal/adoption/leave.go":          "what the service works with, and is nobody's data",
	"internal/effect/effect.go":           "what rows cause, which differs with each",
	"internal/cli/doctor.go":              "names of checks, some of which are called as what they check",
	"internal/cli/photo_doctor.go":        "which photos are looked at, of each collection in a way of its own",
	"internal/limit/rule.go":              "the one table of limits, among them those of what one person adds",
	"internal/listing/reader.go":          "what the fast path of reads supports",
	"internal/listing/request.go":         "what the fast path of reads supports",
	"internal/reconcile/edges.go":         "invariants, each about one table",
	"internal/reconcile/invariant.go":     "names of checks, some of which are called as what they check",
	"internal/reconcile/missing.go":       "invariants, each about one table",
	"internal/reconcile/moments.go":       "the tables to which most writes add a row",
	"internal/reconcile/notifications.go": "invariants, each about one table",
	"internal/reconcile/posts.go":         "invariants, each about one table",
	"internal/reconcile/proof.go":         "in which order tables are read, and what of each is remembered",
	"internal/sharepage/sitemap.go":       "what has a page of its own",
}

// toldOnly are the parts of a descriptor that the tests of the descriptors and the docs alone ask for.
var toldOnly = []string{"Descriptor.OtherDates", "Descriptor.Bound", "Events.None"}

func TestNoOtherTableNamesCollections(t *testing.T) {
	found := tablesOfCollections(testenv.ParseSource(t, "."))
	for file, places := range found {
		if otherTables[file] == "" {
			t.Errorf("%s: read the descriptors of internal/collection, or say in otherTables why not", strings.Join(places, ", "))
		}
	}
	for file := range otherTables {
		if len(found[file]) == 0 {
			t.Errorf("%s has no table of collections any more", file)
		}
	}
}

// TestEveryPartOfADescriptorIsRead fails for a part that no production code outside of the literals asks for.
func TestEveryPartOfADescriptorIsRead(t *testing.T) {
	source := testenv.ParseSource(t, ".")
	for _, unread := range unreadFields(source) {
		if slices.Contains(toldOnly, unread) {
			continue
		}
		t.Errorf("nothing reads %s of internal/collection", unread)
	}
}

func TestTableChecksSeeAFault(t *testing.T) {
	for text, want := range map[string]int{
		`var t = map[string]string{"likes": "a", "saves": "b", "follows": "c"}`:         1,
		`var t = []string{"likes", "saves", "mutes", "likes"}`:                          1,
		`func f() { app.OnRecordCreate("likes", "saves", "blocks").BindFunc(nil) }`:     1,
		`var t = []struct{ name string }{{"likes"}, {"saves"}, {"blocks"}}`:             1,
		`func f(name string) { switch name { case "likes", "saves": case "blocks": } }`: 1,
		`var t = []string{"likes", "saves", "likes"}`:                                   0,
		`var t = []string{"created", "updated", "expires"}`:                             0,
		`func f() { g("likes"); g("saves"); g("blocks") }`:                              0,
	} {
		found := tablesOfCollections(testenv.ParseFixture(t, map[string]string{"internal/fixture.go": "package fixture\n\n" + text}))
		if len(found["internal/fixture.go"]) != want {
			t.Errorf("%s: found %q, want %d", text, found, want)
		}
	}
	unread := unreadFields(testenv.ParseFixture(t, map[string]string{
		"internal/collection/descriptor.go": "package collection\n\ntype Descriptor struct{ Name, Hue string }\n\ntype Limit struct{ Most int }\n",
		"internal/guard/guard.go":           "package guard\n\nfunc f(d *collection.Descriptor) { _ = d.Name; g(d.Limit.Most) }\n",
		"internal/guard/guard_test.go":      "package guard\n\nfunc f(d *collection.Descriptor) { _ = d.Hue }\n",
	}))
	if !slices.Equal(unread, []string{"Descriptor.Hue"}) {
		t.Errorf("unread: %q", unread)
	}
}

// isProductFile reports whether a file is production code that may change: an old migration must stay as it is, and
// programs beside the product have no collections of their own.
func isProductFile(file string) bool {
	return !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(file, "hooks/hookstest/") && !strings.HasPrefix(file, "internal/demo/") &&
		(strings.HasPrefix(file, "internal/") || strings.HasPrefix(file, "hooks/"))
}

// tablesOfCollections returns, by file, where product code names three collections or more in one literal, call or
// switch. The largest of several that contain each other is returned.
func tablesOfCollections(source *testenv.Source) map[string][]string {
	found := map[string][]string{}
	for _, file := range source.Paths() {
		if !isProductFile(file) || strings.HasPrefix(file, "internal/collection/") {
			continue
		}
		ast.Inspect(source.Files[file], func(node ast.Node) bool {
			names := map[string]bool{}
			switch node := node.(type) {
			case *ast.CompositeLit:
				collectNames(node, names)
			case *ast.CallExpr:
				for _, argument := range node.Args {
					if literal, ok := argument.(*ast.BasicLit); ok {
						collectNames(literal, names)
					}
				}
			case *ast.SwitchStmt:
				for _, clause := range node.Body.List {
					for _, expression := range clause.(*ast.CaseClause).List {
						collectNames(expression, names)
					}
				}
			}
			if len(names) < 3 {
				return true
			}
			found[file] = append(found[file], source.Position(node))
			return false
		})
	}
	return found
}

// collectNames adds the names of our collections among the texts of a node, those in function bodies apart.
func collectNames(node ast.Node, names map[string]bool) {
	ast.Inspect(node, func(node ast.Node) bool {
		if _, isFunction := node.(*ast.FuncLit); isFunction {
			return false
		}
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && collection.IsOurs(text) {
				names[text] = true
			}
		}
		return true
	})
}

// unreadFields returns the fields of the types in internal/collection/descriptor.go that no production code selects.
func unreadFields(source *testenv.Source) (unread []string) {
	read := map[string]bool{}
	for _, file := range source.Paths() {
		if isProductFile(file) {
			ast.Inspect(source.Files[file], func(node ast.Node) bool {
				if selector, ok := node.(*ast.SelectorExpr); ok {
					read[selector.Sel.Name] = true
				}
				return true
			})
		}
	}
	ast.Inspect(source.Files["internal/collection/descriptor.go"], func(node ast.Node) bool {
		declared, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := declared.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, field := range fields.Fields.List {
			for _, name := range field.Names {
				if !read[name.Name] {
					unread = append(unread, fmt.Sprintf("%s.%s", declared.Name.Name, name.Name))
				}
			}
		}
		return false
	})
	return unread
}
