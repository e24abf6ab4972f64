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
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tests, err := buildTests(root, dir, all)
	if err != nil {
		return err
	}
	if err := tests.expectGreen(all); err != nil {
		return err
	}
	killed, alive := 0, 0
	for n, m := range all {
		began := time.Now()
		dead, err := tests.isNoticed(m, n)
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

// expectGreen runs the mutants' tests on the code as it is: a test that is red anyway notices nothing.
func (b *testBinaries) expectGreen(all []mutant) error {
	patterns, first := map[string][]string{}, map[string]mutant{} // by the environment and the package
	for _, m := range all {
		where := strings.Join(append(slices.Clone(m.env), m.test[0]), " ")
		first[where] = m
		if pattern := m.pattern(); !slices.Contains(patterns[where], pattern) {
			patterns[where] = append(patterns[where], pattern)
		}
	}
	var red []error
	for where, m := range first {
		if _, err := b.runTest(m, -1, strings.Join(patterns[where], "|")); err == nil {
			continue
		}
		for _, pattern := range patterns[where] { // which of them, when it has the machine to itself
			if output, err := b.runTest(m, -1, pattern); err != nil {
				red = append(red, fmt.Errorf("%s -run %s is red without any mutant: %w: %s", where, pattern, err, output))
			}
		}
	}
	return errors.Join(red...)
}

// isNoticed reports whether the mutant's test fails.
func (b *testBinaries) isNoticed(m mutant, number int) (bool, error) {
	if b.alone[number] {
		return m.isNoticedAlone(b.root)
	}
	output, err := b.runTest(m, number, m.pattern())
	return m.isRed(output, err)
}

// isRed reads what a test says that was run with the mutant in force.
func (m mutant) isRed(output []byte, err error) (bool, error) {
	switch said := string(output); {
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "[setup failed]"):
		return false, fmt.Errorf("%s: the mutant does not compile: %s", m.list, said)
	case err == nil && strings.Contains(said, "no tests to run"):
		return false, fmt.Errorf("%s: no test is called so: %s", m.list, strings.Join(m.test, " "))
	case err != nil && !strings.Contains(said, "FAIL") && !strings.Contains(said, "panic:"):
		return false, fmt.Errorf("%s: %w: %s", m.list, err, said)
	}
	return err != nil, nil
}

// isNoticedAlone is isNoticed for a mutant that is built alone.
func (m mutant) isNoticedAlone(root string) (bool, error) {
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
	test := exec.Command("go", append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout=8m", "-overlay=" + overlay}, m.test...)...)
	test.Dir, test.Env = root, append(os.Environ(), m.env...)
	return m.isRed(test.CombinedOutput())
}
