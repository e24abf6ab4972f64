package testenv

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Source is Go source that a test looks at: the syntax of each file, by its path from the root.
type Source struct {
	Fset  *token.FileSet
	Files map[string]*ast.File
}

// ParseSource parses every Go file below root, with its comments: tests, fixtures and modules of their own as well.
func ParseSource(t testing.TB, root string) *Source {
	t.Helper()
	source := &Source{token.NewFileSet(), map[string]*ast.File{}}
	WalkFiles(t, root, ".go", func(path string) {
		source.add(t, path, nil)
	})
	if len(source.Files) == 0 {
		t.Fatalf("there is no Go file below %s", root)
	}
	return source
}

// ParseFixture parses files that a test makes up, by their paths. It is how a check of the source is shown a fault.
func ParseFixture(t testing.TB, files map[string]string) *Source {
	t.Helper()
	source := &Source{token.NewFileSet(), map[string]*ast.File{}}
	for path, text := range files {
		source.add(t, path, text)
	}
	return source
}

func (s *Source) add(t testing.TB, path string, text any) {
	t.Helper()
	file, err := parser.ParseFile(s.Fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s.Files[path] = file
}

// Paths returns the paths of the files, sorted.
func (s *Source) Paths() []string { return slices.Sorted(maps.Keys(s.Files)) }

// Position says where a node is.
func (s *Source) Position(node ast.Node) string { return s.Fset.Position(node.Pos()).String() }

// ImportsOf returns the paths that a file imports.
func ImportsOf(file *ast.File) []string {
	paths := make([]string, len(file.Imports))
	for i, spec := range file.Imports {
		paths[i], _ = strconv.Unquote(spec.Path.Value) // the parser has checked it
	}
	return paths
}

// WalkFiles calls do with the path of each file below root whose name has the suffix. It passes over node_modules and
// hidden folders.
func WalkFiles(t testing.TB, root, suffix string, do func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && path != root
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || entry.Name() == "node_modules"):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(path, suffix):
			do(filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
