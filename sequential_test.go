package main

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// goroutinesBeside are the functions of tests that begin a goroutine and yet let a test do one thing after the other, by
// folder and name, and why.
var goroutinesBeside = map[string]string{
	"hooks servePlain":       "it waits for the end of a process",
	"hooks startProgram":     "it waits for the end of a process",
	"hooks startVarnish":     "it waits for the end of a process",
	"internal/cli serveDemo": "it serves, as hookstest.New does, and the test asks one thing after the other",
}

// TestSequentialTestsRunWithoutTheRaceDetector compares what make go-test does with the packages in which a test calls
// testenv.SkipSequential, so that no test runs nowhere.
func TestSequentialTestsRunWithoutTheRaceDetector(t *testing.T) {
	question := exec.Command("make", "--dry-run", "go-test")
	question.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return regexp.MustCompile(`^M(AKE|FLAGS)`).MatchString(variable) })
	commands, err := question.Output()
	if err != nil {
		t.Fatal("ask make what go-test does:", err)
	}
	tests := sequentialTests(testenv.ParseSource(t, "."))
	if len(tests) < 5 {
		t.Fatalf("only %d tests call testenv.SkipSequential", len(tests))
	}
	for _, fault := range neverRunFaults(string(commands), tests) {
		t.Error(fault)
	}
}

func TestSequentialTestsAreNotOfWhatHappensAtOnce(t *testing.T) {
	source := testenv.ParseSource(t, ".")
	for _, fault := range atOnceFaults(source) {
		t.Error(fault)
	}
	beside := maps.Clone(goroutinesBeside)
	forTestDeclarations(source, func(file, name string, declaration ast.Node) {
		if len(goroutinesBegunIn(source, declaration)) > 0 {
			delete(beside, path.Dir(file)+" "+name)
		}
	})
	for name := range beside {
		t.Errorf("%s begins no goroutine any more: it needs no line in goroutinesBeside", name)
	}
}

func TestSequentialChecksSeeAFault(t *testing.T) {
	tests := sequentialTests(testenv.ParseFixture(t, map[string]string{
		"hooks/fixture_test.go":         "package hooks\n\nfunc TestMany(t *testing.T) { testenv.SkipSequential(t) }\n\nfunc TestFew(t *testing.T) { SkipOther(t) }\n",
		"internal/feed/fixture_test.go": "package feed\n\nfunc TestMore(t *testing.T) {\n\tif true {\n\t\ttestenv.SkipSequential(t)\n\t}\n}\n",
		"internal/feed/fixture.go":      "package feed\n\nfunc Skip(t testing.TB) { testenv.SkipSequential(t) }\n",
	}))
	if len(tests) != 2 || tests[0] != (sequentialTest{"hooks", "TestMany"}) || tests[1] != (sequentialTest{"internal/feed", "TestMore"}) {
		t.Errorf("found %v", tests)
	}

	for commands, want := range map[string]string{
		"go test -vet=off -timeout=20m ./hooks ./internal/feed": "",
		"go test ./hooks\ngo test ./internal/feed # why":        "",
		"go test ./hooks":                                                 "internal/feed",
		"go test ./hooks ./internal/feedback":                             "internal/feed",
		"go test ./hooks\ngo test -race ./internal/feed":                  "internal/feed",
		"go test ./hooks\ngo test -run 'TestMore' ./internal/feed":        "internal/feed",
		"go test ./hooks\ngo test -short ./internal/feed":                 "internal/feed",
		"go test ./hooks\nDOUBLETAP_FASTPATH=off go test ./internal/feed": "internal/feed",
	} {
		checkFault(t, commands, neverRunFaults(commands, tests), want)
	}

	for body, want := range map[string]string{
		"ada.Like(post)":    "",
		"go ada.Like(post)": "TestMany",
		"var all sync.WaitGroup; all.Go(like); all.Wait()":      "TestMany",
		"group, _ := errgroup.WithContext(ctx); group.Go(like)": "TestMany",
		"b.RunParallel(like)":                              "TestMany",
		"t.Run(name, func(t *testing.T) { go like() })":    "TestMany",
		"t.Run(name, func(t *testing.T) { t.Parallel() })": "TestMany",
		"t.Parallel()":                      "",
		"likeAtOnce()":                      "TestMany",
		"for _, do := range steps { do() }": "TestMany",
		"s.likeAll()":                       "TestMany",
		"hookstest.likeAll()":               "",
		"context.AfterFunc(ctx, like)":      "TestMany",
	} {
		checkFault(t, body, atOnceFaults(testenv.ParseFixture(t, map[string]string{
			"hooks/fixture_test.go": "package hooks\n\nimport \"github.com/doubletap/doubletap/hooks/hookstest\"\n\n" +
				"func TestMany(t *testing.T) {\n\ttestenv.SkipSequential(t)\n\t" + body + "\n}\n\nfunc TestAtOnce(t *testing.T) { go like() }\n",
			"hooks/helper_test.go": "package hooks\n\nfunc likeAtOnce() { inTurn() }\n\nfunc inTurn() { go like() }\n\n" +
				"var steps = []func(){likeAtOnce}\n\nfunc (s *service) likeAll() { likeAtOnce() }\n",
			"internal/feed/helper_test.go": "package feed\n\nfunc like() { go f() }\n",
		})), want)
	}
	outside := atOnceFaults(testenv.ParseFixture(t, map[string]string{
		"hooks/fixture_test.go": "package hooks\n\nfunc startSlowly(t *testing.T) { testenv.SkipSequential(t) }\n",
	}))
	checkFault(t, "a helper that skips", outside, "startSlowly")
}

// sequentialTest is a test that calls testenv.SkipSequential.
type sequentialTest struct{ folder, name string }

func sequentialTests(source *testenv.Source) (tests []sequentialTest) {
	forTestDeclarations(source, func(file, name string, declaration ast.Node) {
		for selector := range nodesOf[*ast.SelectorExpr](declaration) {
			if selector.Sel.Name == "SkipSequential" {
				tests = append(tests, sequentialTest{path.Dir(file), name})
			}
		}
	})
	return slices.Compact(tests)
}

func forTestDeclarations(source *testenv.Source, do func(file, name string, declaration ast.Node)) {
	for _, file := range source.Paths() {
		if strings.HasSuffix(file, "_test.go") {
			for name, declaration := range namedDeclarations(source.Files[file]) {
				do(file, name, declaration)
			}
		}
	}
}

// neverRunFaults returns the packages with sequential tests that no command tests as a whole, over the fast path and
// without the race detector.
func neverRunFaults(commands string, tests []sequentialTest) (faults []string) {
	packages := map[string]bool{}
	for line := range strings.Lines(commands) {
		if words := strings.Fields(line); strings.HasPrefix(line, "go test ") && !slices.ContainsFunc(words, func(word string) bool {
			return regexp.MustCompile(`^-(race|run|skip|short)\b`).MatchString(word)
		}) {
			for _, word := range words {
				packages[word] = true
			}
		}
	}
	for _, test := range tests {
		if folder := "./" + test.folder; !packages[folder] {
			faults = append(faults, fmt.Sprintf("make sequential-test does not run %s, where %s calls testenv.SkipSequential", folder, test.name))
			packages[folder] = true
		}
	}
	return faults
}

// atOnceFaults returns the sequential tests that begin a goroutine, themselves or by what they reach of the tests of
// their package.
func atOnceFaults(source *testenv.Source) (faults []string) {
	type declared struct {
		goroutines []string // where they begin
		names      []string // what it may call
	}
	all := map[sequentialTest][]declared{}
	forTestDeclarations(source, func(file, name string, declaration ast.Node) {
		key := sequentialTest{path.Dir(file), name}
		all[key] = append(all[key], declared{goroutinesBegunIn(source, declaration), namesIn(source.Files[file], declaration)})
	})
	for _, test := range sequentialTests(source) {
		if !strings.HasPrefix(test.name, "Test") {
			faults = append(faults, fmt.Sprintf("%s of %s hides that its tests are skipped: let each call testenv.SkipSequential", test.name, test.folder))
		}
		goroutines, reached := []string{}, []string{test.name}
		for i := 0; i < len(reached); i++ {
			for _, one := range all[sequentialTest{test.folder, reached[i]}] {
				goroutines = append(goroutines, one.goroutines...)
				for _, name := range one.names {
					if !slices.Contains(reached, name) && goroutinesBeside[test.folder+" "+name] == "" {
						reached = append(reached, name)
					}
				}
			}
		}
		if goroutines = slices.Compact(goroutines); len(goroutines) > 0 {
			faults = append(faults, fmt.Sprintf("%s of %s does things at once, for the race detector to see: %s", test.name, test.folder, strings.Join(goroutines, ", ")))
		}
	}
	return faults
}

// goroutinesBegunIn returns where a declaration begins goroutines or parallel subtests.
func goroutinesBegunIn(source *testenv.Source, declaration ast.Node) (positions []string) {
	for statement := range nodesOf[*ast.GoStmt](declaration) {
		positions = append(positions, source.Position(statement))
	}
	for selector := range nodesOf[*ast.SelectorExpr](declaration) {
		if slices.Contains([]string{"Go", "RunParallel", "AfterFunc"}, selector.Sel.Name) {
			positions = append(positions, source.Position(selector))
		}
	}
	for literal := range nodesOf[*ast.FuncLit](declaration) {
		for selector := range nodesOf[*ast.SelectorExpr](literal) {
			if selector.Sel.Name == "Parallel" {
				positions = append(positions, source.Position(selector))
			}
		}
	}
	return positions
}

// namesIn returns the names in a declaration, without those of other packages.
func namesIn(file *ast.File, declaration ast.Node) (names []string) {
	foreign := map[*ast.Ident]bool{}
	for selector := range nodesOf[*ast.SelectorExpr](declaration) {
		foreign[selector.Sel] = slices.ContainsFunc(testenv.ImportsOf(file), func(imported string) bool {
			return path.Base(imported) == lastName(selector.X)
		})
	}
	for name := range nodesOf[*ast.Ident](declaration) {
		if !foreign[name] {
			names = append(names, name.Name)
		}
	}
	return names
}
