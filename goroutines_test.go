package main

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// otherGoroutines are the functions that begin a goroutine, or have one begun later, by other means than the Go method
// of a sync.WaitGroup, with who waits for it or why nobody has to.
var otherGoroutines = map[string]string{
	"internal/background/wait.go Wait":           "it waits for a group, and ends with that",
	"internal/db/hold.go watchTransaction":       "it ends with its transaction, whose end waits for its warning",
	"internal/db/interrupt.go interruptWhenDone": "they do nothing once their statement is over, whose end waits for one that runs",
	"internal/inbox/watch.go queueCounts":        "it does nothing once the inbox is closed",
	"internal/web/clientapp.go BoundStatements":  "it cancels a context and does nothing else",
}

// TestGoroutinesHaveAnOwnerWhoWaits fails for a goroutine of the service that may go on when the databases are closed.
func TestGoroutinesHaveAnOwnerWhoWaits(t *testing.T) {
	found, faults := goroutinesIn(testenv.ParseSource(t, "."))
	for _, fault := range faults {
		t.Error(fault)
	}
	for function, positions := range found {
		if otherGoroutines[function] == "" {
			t.Errorf("%s: use the Go method of a sync.WaitGroup that its owner waits for, or say in otherGoroutines who waits", strings.Join(positions, ", "))
		}
	}
	for function := range otherGoroutines {
		if found[function] == nil {
			t.Errorf("%s begins no goroutine any more", function)
		}
	}
}

func TestGoroutineChecksSeeAFault(t *testing.T) {
	for statement, want := range map[string]string{
		"go f()":                              "found",
		"go func() { defer wg.Done() }()":     "found",
		"routine.FireAndForget(f)":            "found",
		"time.AfterFunc(time.Second, f)":      "found",
		"stop := context.AfterFunc(ctx, f)":   "found",
		"begin := time.AfterFunc":             "found",
		"app.RunInTransaction(f)":             "",
		"s.sending.Go(f); s.sending.Wait()":   "",
		"var wg sync.WaitGroup; wg.Go(f)":     "nobody waits for wg",
		"s.sending.Go(f); s.others.Wait()":    "nobody waits for sending",
		"s.elsewhere.Go(f)":                   "",
		"s.bounded.Go(f); wait(&s.bounded)":   "nobody waits for bounded",
		"s.boundedElsewhere.Go(f)":            "",
		"wg := s.groups; wg[0].Go(f)":         "nobody waits",
		"s.ofAnotherPackage.Go(f)":            "nobody waits for ofAnotherPackage",
		"_ = func() { s.groupOf(x).Go(f) }()": "nobody waits",
	} {
		found, faults := goroutinesIn(testenv.ParseFixture(t, map[string]string{
			"internal/feed/fixture.go": "package feed\n\nfunc (s *S) fixture() {\n\t" + statement + "\n}\n",
			"internal/feed/another.go": "package feed\n\nfunc (s *S) end(ctx context.Context) error { s.elsewhere.Wait(); return background.Wait(ctx, &s.boundedElsewhere) }\n",
			"internal/post/another.go": "package post\n\nfunc (s *S) end() { s.ofAnotherPackage.Wait() }\n",
		}))
		if _, isFound := found["internal/feed/fixture.go fixture"]; isFound != (want == "found") {
			t.Errorf("%s: found %v", statement, found)
		}
		checkFault(t, statement, faults, strings.TrimPrefix(want, "found"))
	}
	inVariable, _ := goroutinesIn(testenv.ParseFixture(t, map[string]string{"internal/feed/fixture.go": "package feed\n\nvar begin = func() { go f() }\n"}))
	if inVariable["internal/feed/fixture.go begin"] == nil {
		t.Errorf("in a variable: found %v", inVariable)
	}
	for file, want := range map[string]int{"main.go": 1, "migrations/fixture.go": 1, "internal/demo/fixture.go": 1, "hooks/fixture_test.go": 0, "hooks/hookstest/fixture.go": 0, "bench/fixture.go": 0} {
		found, _ := goroutinesIn(testenv.ParseFixture(t, map[string]string{file: "package fixture\n\nfunc fixture() { go f() }\n"}))
		if len(found) != want {
			t.Errorf("%s: found %v, want %d", file, found, want)
		}
	}
}

// isServiceFile reports whether a file is a part of the program that we ship: no test, no kit for tests, no folder
// beside the product.
func isServiceFile(file string) bool {
	return !strings.HasSuffix(file, "_test.go") && layerOf(packageOf(file)) >= 0 && !slices.Contains(testKits, path.Dir(file))
}

// goroutinesIn returns where the program begins goroutines by other means than a group's Go method, by file and
// declaration, and the groups for which their package does not wait.
func goroutinesIn(source *testenv.Source) (found map[string][]string, faults []string) {
	found = map[string][]string{}
	waited := map[string]bool{} // by folder and name
	forServiceDeclarations(source, func(file, name string, declaration ast.Node) {
		for call := range nodesOf[*ast.CallExpr](declaration) {
			switch selector, _ := call.Fun.(*ast.SelectorExpr); {
			case selector == nil || selector.Sel.Name != "Wait":
			case len(call.Args) == 0:
				waited[path.Dir(file)+" "+lastName(selector.X)] = true
			case len(call.Args) == 2 && lastName(selector.X) == "background":
				waited[path.Dir(file)+" "+lastName(call.Args[1])] = true
			}
		}
	})
	forServiceDeclarations(source, func(file, name string, declaration ast.Node) {
		note := func(node ast.Node) {
			found[file+" "+name] = append(found[file+" "+name], source.Position(node))
		}
		for statement := range nodesOf[*ast.GoStmt](declaration) {
			note(statement)
		}
		for selector := range nodesOf[*ast.SelectorExpr](declaration) {
			switch selector.Sel.Name {
			case "FireAndForget", "AfterFunc":
				note(selector)
			case "Go":
				if group := lastName(selector.X); !waited[path.Dir(file)+" "+group] || group == "" {
					faults = append(faults, fmt.Sprintf("%s: nobody waits for %s in this package", source.Position(selector), group))
				}
			}
		}
	})
	return found, faults
}

// forServiceDeclarations calls do with each function, variable and constant of the program.
func forServiceDeclarations(source *testenv.Source, do func(file, name string, declaration ast.Node)) {
	for _, file := range source.Paths() {
		if !isServiceFile(file) {
			continue
		}
		for name, declaration := range namedDeclarations(source.Files[file]) {
			do(file, name, declaration)
		}
	}
}

// namedDeclarations returns the functions, methods, variables and constants of a file, by their names.
func namedDeclarations(file *ast.File) func(yield func(string, ast.Node) bool) {
	return func(yield func(string, ast.Node) bool) {
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if !yield(declaration.Name.Name, declaration) {
					return
				}
			case *ast.GenDecl:
				for _, spec := range declaration.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && !yield(value.Names[0].Name, value) {
						return
					}
				}
			}
		}
	}
}

// nodesOf returns the nodes of a type below a node.
func nodesOf[N ast.Node](root ast.Node) func(yield func(N) bool) {
	return func(yield func(N) bool) {
		for node := range ast.Preorder(root) {
			if one, ok := node.(N); ok && !yield(one) {
				return
			}
		}
	}
}

// lastName returns the name at the end of an expression, as working for &w.working, or "".
func lastName(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.UnaryExpr:
		return lastName(expression.X)
	case *ast.SelectorExpr:
		return expression.Sel.Name
	case *ast.Ident:
		return expression.Name
	}
	return ""
}
