// Command compat runs PocketBase's own tests with Doubletap bound to the app that they test, on PocketBase's test
// data, which Doubletap has adopted. It compares the tests that fail with differences.txt, which lists those that
// shall fail, each with its reason.
//
//	make compat                      all packages
//	go run ./tests/compat -v apis    one of them, with what the failing tests say
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const pocketbaseModule = "github.com/pocketbase/pocketbase"

//go:embed differences.txt
var differences string

//go:embed adopt.go.txt
var adoptSource []byte

func main() {
	verbose := flag.Bool("v", false, "show what the failing tests say")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"apis", "core", "forms", "mails"}
	}
	if err := compareResults(packages, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(1)
	}
}

func compareResults(packages []string, verbose bool) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	// the same path each time, so that Go reuses what it has built
	dir := filepath.Join(os.TempDir(), "doubletap-compat"+strings.ReplaceAll(here, string(filepath.Separator), "-"))
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return fmt.Errorf("make a folder for PocketBase: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := prepareModule(dir); err != nil {
		return err
	}
	want, err := expectedDifferences()
	if err != nil {
		return err
	}
	failed, ran, err := runTests(dir, packages, verbose)
	if err != nil {
		return err
	}
	lost, back := 0, 0
	for _, test := range failed {
		if _, known := want[test]; !known {
			lost++
			fmt.Println("FAIL", test)
		}
	}
	for test := range want {
		if of, _, _ := strings.Cut(test, " "); slices.Contains(packages, of) && !slices.Contains(failed, test) {
			back++
			fmt.Println("passes now, or is gone: take it off the list:", test)
		}
	}
	fmt.Printf("%d of PocketBase's tests, %d differ, %d of them with a reason\n", ran, len(failed), len(failed)-lost)
	if lost+back > 0 {
		return fmt.Errorf("%d tests fail for no reason that differences.txt gives, %d of its reasons are no longer true", lost, back)
	}
	return nil
}

// prepareModule copies PocketBase's module to dir, where its test app gets Doubletap bound.
func prepareModule(dir string) error {
	source, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", pocketbaseModule).Output()
	if err != nil {
		return fmt.Errorf("find PocketBase's module: %w", err)
	}
	pocketbase := filepath.Join(dir, "pocketbase")
	// not os.CopyFS, which would keep the files read-only, as they are in the cache
	if out, err := exec.Command("cp", "-r", "--no-preserve=mode", strings.TrimSpace(string(source)), pocketbase).CombinedOutput(); err != nil {
		return fmt.Errorf("copy PocketBase: %w: %s", err, out)
	}
	if err := adjustSources(pocketbase); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(pocketbase, "tests", "adopt.go"), adoptSource, 0o600); err != nil {
		return fmt.Errorf("write the adoption beside PocketBase's test app: %w", err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return fmt.Errorf("run it from the repository's folder: %w", err)
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	mod = fmt.Appendf(mod, "\nreplace %s => %s\n", pocketbaseModule, pocketbase)
	return errors.Join(os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o600), os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
}

// expectedDifferences returns the tests that shall fail, with the reason of each.
func expectedDifferences() (map[string]string, error) {
	want := map[string]string{}
	for line := range strings.Lines(differences) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		test, reason, found := strings.Cut(line, " | ")
		if !found || reason == "" {
			return nil, fmt.Errorf("differences.txt gives no reason for %q", line)
		}
		want[strings.TrimSpace(test)] = reason
	}
	return want, nil
}

// runTests returns the tests that fail without a failing subtest, and how many tests ran.
func runTests(dir string, packages []string, verbose bool) (failed []string, ran int, err error) {
	args := []string{"test", "-modfile=" + filepath.Join(dir, "go.mod"), "-mod=mod", "-json", "-count=1", "-timeout=20m"}
	for _, name := range packages {
		args = append(args, pocketbaseModule+"/"+name)
	}
	command := exec.Command("go", args...)
	command.Stderr = os.Stderr
	// 192.0.2.1 is the peer of all requests of httptest, which some tests make a proxy
	command.Env = append(os.Environ(), "DOUBLETAP_LIMITS=off", "DOUBLETAP_TRUSTED_PROXIES=192.0.2.1")
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := command.Start(); err != nil {
		return nil, 0, fmt.Errorf("start go test: %w", err)
	}
	var broken []string
	results, output := map[string]string{}, map[string]*strings.Builder{}
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read what go test says: %w", err)
		}
		var event struct{ Action, Package, Test, Output, ImportPath string }
		if json.Unmarshal(line, &event) != nil {
			fmt.Print(string(line))
			continue
		}
		name := strings.TrimPrefix(event.Package, pocketbaseModule+"/") + " " + event.Test
		switch event.Action {
		case "output":
			if output[name] == nil {
				output[name] = &strings.Builder{}
			}
			output[name].WriteString(event.Output)
		case "build-output":
			fmt.Print(event.Output)
		case "build-fail":
			broken = append(broken, event.ImportPath)
		case "pass", "fail", "skip":
			results[name] = event.Action
		}
	}
	_ = command.Wait() // failing tests are expected; the end of the function checks that any ran
	parents := map[string]bool{}
	for name := range results {
		for i := range name {
			if name[i] == '/' {
				if results[name] == "fail" {
					parents[name[:i]] = true
				}
			}
		}
	}
	for name, result := range results {
		if result == "fail" && output[name] != nil && strings.Contains(output[name].String(), "panic: ") {
			fmt.Print(output[name].String()) // the tests after a panic have not run
		}
		if strings.HasSuffix(name, " ") { // the package
			continue
		}
		ran++
		if result == "fail" && !parents[name] {
			failed = append(failed, name)
		}
	}
	if ran == 0 || len(broken) > 0 {
		return nil, 0, fmt.Errorf("%d tests ran; not built: %s", ran, strings.Join(broken, ", "))
	}
	slices.Sort(failed)
	if verbose {
		for _, name := range failed {
			fmt.Printf("--- %s\n%s\n", name, output[name])
		}
	}
	return failed, ran, nil
}
