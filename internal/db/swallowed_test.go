package db_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// reads are calls that ask the database or the disk. What is cached in memory, as FindCached… is, can only be not there.
var reads = regexp.MustCompile(`^(Find([^C]|C[^a]).*|CountRecords|One|Row|Value|All|Column|Each|Optional|Found|Stat|Lstat|ReadFile|ReadDir)$`)

// TestNoFailedReadIsTakenForNotFound looks for errors of reads that are dropped without a nolint:nilerr that says why, and for sql.ErrNoRows anywhere but here, where Found
// tells it from all else.
func TestNoFailedReadIsTakenForNotFound(t *testing.T) {
	for _, root := range []string{"../../hooks", "../../internal"} {
		source := testenv.ParseSource(t, root)
		for _, path := range source.Paths() {
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
				continue
			}
			for _, found := range swallowed(source, path) {
				t.Error(found)
			}
		}
	}
}

func TestASwallowedReadIsFound(t *testing.T) {
	for source, want := range map[string]int{
		`row, err := app.FindRecordById("posts", id); if err != nil { return nil }; return row.Err()`:                                             1,
		`if _, err := app.FindFirstRecordByData("users", "id", id); err != nil { return nil }; return nil`:                                        1,
		`row, _ := app.FindRecordById("posts", id); return row.Err()`:                                                                             1,
		`found, err := db.Row(app, "", nil); if err != nil || !found { return nil }; return nil`:                                                  1,
		`for range 3 { row, err := app.FindRecordById("posts", id); if err != nil { continue }; _ = row }; return nil`:                            1,
		`_, err := app.FindRecordById("posts", id); return keep(err == nil)`:                                                                      1,
		`row, err := app.FindRecordById("posts", id); if err != nil { row = nil }; return row.Err()`:                                              1,
		`row, err := app.FindRecordById("posts", id); if err != nil { row = nil }; return errors.Join(row, err)`:                                  0,
		`if errors.Is(err, sql.ErrNoRows) { return nil }; return err`:                                                                             1,
		`row, err := app.FindRecordById("posts", id); if err != nil { return err }; return row.Err()`:                                             0,
		`found, err := db.Row(app, "", nil); if err != nil || !found { return err }; return nil`:                                                  0,
		"row, err := app.FindRecordById(`posts`, id)\nif err != nil { //nolint:nilerr // as it is told elsewhere\nreturn nil }; return row.Err()": 0,
		`c, err := app.FindCachedCollectionByNameOrId("posts"); if err != nil { return nil }; return c.Err()`:                                     0,
		`key, err := base64.Decode(text); if err != nil { return nil }; return key.Err()`:                                                         0,
	} {
		parsed := testenv.ParseFixture(t, map[string]string{"fixture.go": "package p\nfunc f() error { " + source + " }"})
		if got := swallowed(parsed, "fixture.go"); len(got) != want {
			t.Errorf("%s: found %q, want %d", source, got, want)
		}
	}
}

// swallowed returns where a file drops the error of a read, or names sql.ErrNoRows.
func swallowed(source *testenv.Source, path string) (found []string) {
	files, file := source.Fset, source.Files[path]
	exempt := map[int]bool{} // lines that say why
	for _, comment := range file.Comments {
		if _, why, is := strings.Cut(comment.List[0].Text, "nolint:nilerr // "); is && why != "" {
			exempt[files.Position(comment.Pos()).Line] = true
		}
	}
	note := func(at ast.Node, what string) {
		if exempt[files.Position(at.Pos()).Line] {
			return
		}
		found = append(found, fmt.Sprintf("%s: %s", files.Position(at.Pos()), what))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "sql" && n.Sel.Name == "ErrNoRows" && !strings.HasSuffix(path, "internal/db/find.go") {
				note(n, "sql.ErrNoRows: ask db.Found or db.Optional")
			}
		case *ast.IfStmt:
			if call := readOf(n.Init); call != nil && drops(n) {
				note(n, "the error of a read is dropped")
			}
		case *ast.BlockStmt:
			for i, statement := range n.List {
				call := readOf(statement)
				if call == nil {
					continue
				}
				last := statement.(*ast.AssignStmt).Lhs
				if name, ok := last[len(last)-1].(*ast.Ident); ok && name.Name == "_" {
					note(statement, "the error of a read has no name")
				}
				if i+1 == len(n.List) {
					continue
				}
				next, isIf := n.List[i+1].(*ast.IfStmt)
				if isIf && next.Init == nil && drops(next) && (ends(next.Body) || !mentions(&ast.BlockStmt{List: n.List[i+2:]}, "err")) || !isIf && mentionsNoError(n.List[i+1]) {
					note(n.List[i+1], "the error of a read is dropped")
				}
			}
		}
		return true
	})
	return found
}

// readOf is the read that a statement assigns the results of, nil for any other statement.
func readOf(statement ast.Stmt) *ast.CallExpr {
	assign, ok := statement.(*ast.AssignStmt)
	if !ok || len(assign.Rhs) != 1 {
		return nil
	}
	call, ok := assign.Rhs[0].(*ast.CallExpr)
	if !ok {
		return nil
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		return nil // one of ours, which is looked at itself
	}
	last, ok := assign.Lhs[len(assign.Lhs)-1].(*ast.Ident)
	if !ok || !reads.MatchString(name) || last.Name != "err" && last.Name != "_" {
		return nil
	}
	return call
}

// drops reports whether an if asks for err != nil, or err == nil, and never says what err was.
func drops(n *ast.IfStmt) bool {
	asks := func(sign token.Token) bool {
		is := false
		ast.Inspect(n.Cond, func(e ast.Node) bool {
			if b, ok := e.(*ast.BinaryExpr); ok && b.Op == sign {
				x, isErr := b.X.(*ast.Ident)
				is = is || isErr && x.Name == "err"
			}
			return true
		})
		return is
	}
	if asks(token.NEQ) {
		return !mentions(n.Body, "err")
	}
	return asks(token.EQL) && n.Init != nil && (n.Else == nil || !mentions(n.Else, "err"))
}

// ends reports whether what follows a block is not reached from it.
func ends(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	switch block.List[len(block.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// mentionsNoError reports whether a statement takes an error for a truth: it compares err with nil and hands on the outcome.
func mentionsNoError(statement ast.Stmt) bool {
	compared, named := 0, 0
	ast.Inspect(statement, func(e ast.Node) bool {
		switch e := e.(type) {
		case *ast.BinaryExpr:
			if x, ok := e.X.(*ast.Ident); ok && x.Name == "err" {
				compared++
			}
		case *ast.Ident:
			if e.Name == "err" {
				named++
			}
		}
		return true
	})
	return compared > 0 && compared == named
}

func mentions(n ast.Node, name string) (found bool) {
	ast.Inspect(n, func(e ast.Node) bool {
		if x, ok := e.(*ast.Ident); ok && x.Name == name {
			found = true
		}
		return !found
	})
	return found
}
