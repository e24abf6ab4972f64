// Command mutants puts faults into the code, one at a time, and runs the test that has to notice each. A fault that no
// test notices is a missing test. The faults are in lists beside this file; the code itself is never touched, as the
// go command reads the mutated files in its place (-overlay).
//
//	go run . [-run REGEXP] [-check]
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("run", "", "only mutants whose reason, file or list matches")
	check := flag.Bool("check", false, "only look whether the code still has the texts")
	root := flag.String("root", "../..", "the repository")
	flag.Parse()
	if err := run(*root, *only, *check); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(root, only string, check bool) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all, err := readLists(".")
	if err != nil {
		return err
	}
	var broken []error
	for _, m := range all {
		_, err := m.mutate(root)
		broken = append(broken, err)
	}
	if err := errors.Join(broken...); err != nil || check {
		return err
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !wanted.MatchString(m.why + "\n" + m.file + "\n" + m.list) })
	if err := expectGreen(root, all); err != nil {
		return err
	}
	killed, alive := 0, 0
	for _, m := range all {
		began := time.Now()
		dead, err := m.isNoticed(root)
		verdict := "killed"
		switch {
		case err != nil:
			verdict = "BROKEN"
			broken = append(broken, err)
		case dead:
			killed++
		default:
			verdict = "ALIVE "
			alive++
		}
		fmt.Printf("%s %4.0f s  %-26s %s: %s\n", verdict, time.Since(began).Seconds(), m.list, m.file, m.why)
	}
	fmt.Printf("%d of %d mutants killed\n", killed, killed+alive)
	if alive > 0 {
		broken = append(broken, fmt.Errorf("%d mutants are alive: their tests are missing", alive))
	}
	return errors.Join(broken...)
}

// expectGreen runs the mutants' tests on the code as it is: a test that is red anyway notices nothing. The tests of one
// package run together, as linking takes longer than most of them.
func expectGreen(root string, all []mutant) error {
	patterns := map[string][]string{} // by the environment and the package
	for _, m := range all {
		pattern := "."
		if len(m.test) > 1 {
			pattern = m.test[len(m.test)-1]
		}
		where := strings.Join(append(slices.Clone(m.env), m.test[0]), " ")
		if !slices.Contains(patterns[where], pattern) {
			patterns[where] = append(patterns[where], pattern)
		}
	}
	var red []error
	for where, patterns := range patterns {
		words := strings.Fields(where)
		if output, err := runTest(root, words[:len(words)-1], words[len(words)-1], "-run", strings.Join(patterns, "|")); err != nil {
			red = append(red, fmt.Errorf("red without any mutant: %w: %s", err, output))
		}
	}
	return errors.Join(red...)
}

// runTest runs go test in the repository and returns what it says.
func runTest(root string, env []string, arguments ...string) ([]byte, error) {
	test := exec.Command("go", append([]string{"test", "-vet=off", "-count=1", "-timeout=8m"}, arguments...)...)
	test.Dir, test.Env = root, append(os.Environ(), env...)
	return test.CombinedOutput()
}

// isNoticed reports whether the mutant's test fails.
func (m mutant) isNoticed(root string) (bool, error) {
	mutated, err := m.mutate(root)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	file, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, m.file): file}})
	if err != nil {
		return false, err
	}
	if err := errors.Join(os.WriteFile(file, []byte(mutated), 0o600), os.WriteFile(overlay, replaced, 0o600)); err != nil {
		return false, err
	}
	output, err := runTest(root, m.env, append([]string{"-failfast", "-overlay=" + overlay}, m.test...)...)
	switch said := string(output); {
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "[setup failed]"):
		return false, fmt.Errorf("%s: the mutant does not compile: %s", m.list, said)
	case err == nil && strings.Contains(said, "no tests to run"):
		return false, fmt.Errorf("%s: no test is called so: %s", m.list, strings.Join(m.test, " "))
	case err != nil && !strings.Contains(said, "FAIL"):
		return false, fmt.Errorf("%s: %w: %s", m.list, err, said)
	}
	return err != nil, nil
}
