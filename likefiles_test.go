package main

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// maxLikeFiles are how many files somebody opens who follows a like through PocketBase's path, and through the fast one.
var maxLikeFiles = []int{6, 10}

var likeFile = regexp.MustCompile("(?m)^[0-9]+\\. `([a-z/]+\\.go)` `([A-Za-z]+)`")

// TestOneLikeIsReadInAFewFiles compares the lists in docs/architecture.md with the code.
func TestOneLikeIsReadInAFewFiles(t *testing.T) {
	source := testenv.ParseSource(t, ".")
	_, section, _ := strings.Cut(readFile(t, "docs/architecture.md"), "### Its files")
	section, _, _ = strings.Cut(section, "\n## ")
	general, fast, found := strings.Cut(section, "of the fast path:")
	if !found {
		t.Fatal("the page does not list the files of the fast path")
	}
	for i, list := range []string{general, fast} {
		for _, fault := range likeListFaults(source, list, maxLikeFiles[i]) {
			t.Errorf("list %d: %s", i, fault)
		}
	}
}

func TestLikeListChecksSeeAFault(t *testing.T) {
	source := testenv.ParseFixture(t, map[string]string{
		"hooks/edge.go":          "package hooks\n\nfunc edgeRequested() { effect.PostLiked() }\n",
		"internal/effect/one.go": "package effect\n\nfunc PostLiked() {}\n",
		"internal/post/two.go":   "package post\n\nfunc Written() {}\n",
	})
	for list, want := range map[string]string{
		"1. `hooks/edge.go` `edgeRequested`\n2. `internal/effect/one.go` `PostLiked`\n": "",
		"1. `hooks/edge.go` `edgeRequested`\n2. `internal/post/two.go` `Written`\n":     "Written is not called",
		"1. `hooks/edge.go` `edgeRefused`\n":                                            "no function edgeRefused",
		"1. `hooks/edge.go` `edgeRequested`: then `one.go` and `two.go`\n":              "names 3 files",
		"no list": "names 0 files",
	} {
		checkFault(t, list, likeListFaults(source, list, 2), want)
	}
}

var anyFile = regexp.MustCompile("`[a-z0-9/]+\\.go`")

// likeListFaults returns what is wrong with a list of steps: more files than allowed, also where they are named beside a
// step, a file without its function, or a function that no file of the list calls or binds, so that somebody who reads
// on does not come there.
func likeListFaults(source *testenv.Source, list string, most int) (faults []string) {
	steps := likeFile.FindAllStringSubmatch(list, -1)
	files := anyFile.FindAllString(list, -1)
	slices.Sort(files)
	if n := len(slices.Compact(files)); n == 0 || n > most {
		faults = append(faults, fmt.Sprintf("it names %d files, want at most %d", n, most))
	}
	for i, step := range steps {
		isCalled := i == 0 // by PocketBase
		for _, other := range steps {
			isCalled = isCalled || namesFunction(source.Files[other[1]], step[2])
		}
		switch {
		case !declaresFunction(source.Files[step[1]], step[2]):
			faults = append(faults, fmt.Sprintf("%s has no function %s", step[1], step[2]))
		case !isCalled:
			faults = append(faults, step[2]+" is not called in a file of the list")
		}
	}
	return faults
}

// namesFunction reports whether a file names a function other than to declare it.
func namesFunction(file *ast.File, name string) bool {
	if file == nil {
		return false
	}
	declared := map[*ast.Ident]bool{}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			declared[function.Name] = true
		}
	}
	for ident := range nodesOf[*ast.Ident](file) {
		if ident.Name == name && !declared[ident] {
			return true
		}
	}
	return false
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
