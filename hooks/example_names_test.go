package hooks_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEachHookHasAnExample keeps go doc a manual: a hook for owners has a runnable example, and the package comment
// names it.
func TestEachHookHasAnExample(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var sources, tests []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			tests = append(tests, file)
		} else {
			sources = append(sources, file)
		}
	}
	shown := map[string]*doc.Example{}
	for _, example := range doc.Examples(tests...) {
		shown[example.Name] = example
	}
	overview, hooks := packageComment(sources), 0
	for _, file := range sources {
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !strings.HasPrefix(f.Name.Name, "On") {
				continue
			}
			hooks++
			name := f.Name.Name
			if example := shown["Social_"+name]; example == nil || example.Output == "" {
				t.Errorf("%s has no example with an output", name)
			}
			if words := strings.FieldsFunc(overview, func(r rune) bool { return strings.ContainsRune(" ,:.\n", r) }); !slices.Contains(words, name) {
				t.Errorf("the package comment does not name %s", name)
			}
		}
	}
	if hooks < 17 {
		t.Errorf("only %d hooks were found", hooks)
	}
}

func packageComment(files []*ast.File) string {
	for _, file := range files {
		if file.Doc != nil {
			return file.Doc.Text()
		}
	}
	return ""
}
