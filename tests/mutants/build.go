package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// switchVariable names, in the environment of a test, the mutant that is in force, by its number; empty for none.
const switchVariable = "DOUBLETAP_MUTANT"

// testBinaries are the tests of each package, built once with all mutants in them. Building takes longer than most tests.
type testBinaries struct {
	root, dir string
	alone     map[int]bool          // mutants outside functions, which are built one by one
	green     map[string]greenTests // by the environment and the package
}

// errOutsideFunction says that a mutant is not in the body of a function, so that nothing can switch it on.
var errOutsideFunction = errors.New("the mutant is not in a function")

// errHangs says that a test did not end within its limit.
var errHangs = errors.New("the test hangs")

// buildTests builds the tests of the wanted mutants, with all mutants in them, unless they are kept from a run before. A
// mutant that does not compile is left out and called broken.
func buildTests(root string, kept *keptRun, all []mutant, wanted []int) (*testBinaries, error) {
	b := &testBinaries{root: root, dir: kept.dir, alone: map[int]bool{}, green: map[string]greenTests{}}
	for {
		overlay, err := b.writeOverlay(all, kept)
		if err != nil {
			return nil, err
		}
		broken := ""
		for _, n := range wanted {
			m := all[n]
			if _, err := os.Stat(b.binaryOf(m)); err == nil {
				continue
			}
			build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-w", "-overlay="+overlay, "-o", b.binaryOf(m), m.test[0])
			build.Dir = root
			if output, err := build.CombinedOutput(); err != nil {
				broken = string(output)
				break
			}
		}
		if broken == "" {
			return b, nil
		}
		named := regexp.MustCompile(`mutant-(\d+)\.go`).FindAllStringSubmatch(broken, -1)
		if len(named) == 0 {
			return nil, fmt.Errorf("build the tests: %s", broken)
		}
		for _, name := range named {
			n, _ := strconv.Atoi(name[1])
			if err := kept.add(all[n].list, "BROKEN does not compile"); err != nil {
				return nil, err
			}
		}
		fmt.Println(broken)
		built, _ := filepath.Glob(filepath.Join(b.dir, "*.test"))
		for _, file := range built {
			os.Remove(file)
		}
	}
}

func (b *testBinaries) binaryOf(m mutant) string {
	return filepath.Join(b.dir, strings.ReplaceAll(strings.Trim(m.test[0], "./"), "/", "-")+".test")
}

// writeOverlay writes each mutated file with all mutants that are in it, and a file for each mutated package that has
// the switch.
func (b *testBinaries) writeOverlay(all []mutant, kept *keptRun) (string, error) {
	byFile := map[string]map[int]string{} // the mutated bodies of functions, by the mutant, of each file
	places := map[int]int{}               // where the mutant's function begins
	for n, m := range all {
		content, err := os.ReadFile(filepath.Join(b.root, m.file))
		if err != nil {
			return "", err
		}
		begin, body, err := mutatedBody(content, m)
		if err != nil {
			b.alone[n] = true
		}
		if b.alone[n] || strings.HasPrefix(kept.verdicts[m.list], "BROKEN") {
			continue
		}
		if byFile[m.file] == nil {
			byFile[m.file] = map[int]string{}
		}
		byFile[m.file][n], places[n] = body, begin
	}
	replaced := map[string]string{}
	write := func(path, name, content string) error {
		replaced[filepath.Join(b.root, path)] = filepath.Join(b.dir, name)
		return os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600)
	}
	for file, bodies := range byFile {
		content, err := os.ReadFile(filepath.Join(b.root, file))
		if err != nil {
			return "", err
		}
		text := string(content)
		mutants := slices.SortedFunc(maps.Keys(bodies), func(n, other int) int { return places[other] - places[n] }) // from the file's end
		for _, n := range mutants {
			at := places[n]
			back := fmt.Sprintf("\n//line %s:%d\n", filepath.Base(file), 1+strings.Count(string(content[:at]), "\n"))
			text = text[:at] + fmt.Sprintf("\nif mutantInForce == \"%d\" {\n//line mutant-%d.go:1\n%s\n}%s", n, n, bodies[n], back) + text[at:]
		}
		name := strings.ReplaceAll(file, "/", "-")
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		inForce := "package " + parsed.Name.Name + "\n\nimport \"os\"\n\nvar mutantInForce = os.Getenv(\"" + switchVariable + "\")\n"
		err = errors.Join(write(file, name, text), write(filepath.Join(filepath.Dir(file), "mutantinforce.go"), filepath.Dir(name)+parsed.Name.Name+"-switch.go", inForce))
		if err != nil {
			return "", err
		}
	}
	overlay := filepath.Join(b.dir, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, content, 0o600)
}

// mutatedBody returns where the body of the mutant's function begins, and the body with the fault in it.
func mutatedBody(content []byte, m mutant) (begin int, body string, err error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, m.file, content, parser.SkipObjectResolution)
	if err != nil {
		return 0, "", err
	}
	from := strings.Index(string(content), m.text)
	for _, declared := range parsed.Decls {
		function, is := declared.(*ast.FuncDecl)
		if !is || function.Body == nil {
			continue
		}
		begin, end := files.Position(function.Body.Lbrace).Offset+1, files.Position(function.Body.Rbrace).Offset
		if from < begin || from+len(m.text) > end {
			continue
		}
		body := string(content[begin:from]) + m.with + string(content[from+len(m.text):end])
		if function.Type.Results == nil {
			body += "\nreturn"
		}
		return begin, body, nil
	}
	return 0, "", errOutsideFunction
}

// runTest runs the mutant's test with the mutant in force, or without any if number is negative. It takes no longer than
// the limit.
func (b *testBinaries) runTest(m mutant, number int, pattern string, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+startOfTests)
	defer cancel()
	test := exec.CommandContext(ctx, b.binaryOf(m), "-test.paniconexit0", "-test.timeout="+limit.String(), "-test.run="+pattern)
	test.WaitDelay = startOfTests
	test.Dir = filepath.Join(b.root, m.test[0])
	test.Env = append(os.Environ(), m.env...)
	if number >= 0 {
		test.Args = append(test.Args, "-test.failfast")
		test.Env = append(test.Env, switchVariable+"="+strconv.Itoa(number))
	} else {
		test.Args = append(test.Args, "-test.v")
	}
	output, err := test.CombinedOutput()
	if ctx.Err() != nil || bytes.Contains(output, []byte("panic: test timed out")) {
		return output, errHangs
	}
	return output, err
}
