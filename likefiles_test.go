package main

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// maxLikeFiles are how many files somebody opens who follows a like through PocketBase's path, and through the fast one.
var maxLikeFiles = []int{6, 10}

var likeFile = regexp.MustCompile("(?m)^[0-9]+\\. `([a-z/]+\\.go)` `([A-Za-z]+)`")

// TestOneLikeIsReadInAFewFiles compares the lists in docs/architecture.md with the code: each file has its function, and
// the lists have not grown.
func TestOneLikeIsReadInAFewFiles(t *testing.T) {
	source := testenv.ParseSource(t, ".")
	_, section, _ := strings.Cut(readFile(t, "docs/architecture.md"), "### Its files")
	section, _, _ = strings.Cut(section, "\n## ")
	general, fast, found := strings.Cut(section, "of the fast path:")
	if !found {
		t.Fatal("the page does not list the files of the fast path")
	}
	for i, list := range []string{general, fast} {
		steps := likeFile.FindAllStringSubmatch(list, -1)
		if len(steps) == 0 || len(steps) > maxLikeFiles[i] {
			t.Errorf("list %d has %d files, want at most %d", i, len(steps), maxLikeFiles[i])
		}
		for _, step := range steps {
			if !declaresFunction(source.Files[step[1]], step[2]) {
				t.Errorf("%s has no function %s", step[1], step[2])
			}
		}
	}
}

func declaresFunction(file *ast.File, name string) bool {
	if file == nil {
		return false
	}
	for _, declared := range file.Decls {
		if function, ok := declared.(*ast.FuncDecl); ok && function.Name.Name == name {
			return true
		}
	}
	return false
}
