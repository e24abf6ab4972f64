// Command mutants puts faults into the code, one at a time, and runs the test that has to notice each. A fault that no
// test notices is a missing test. The faults are in lists beside this file; the code itself is never touched, as the
// go command reads the mutated files in its place (-overlay).
//
// Verdicts are kept until a file of the repository changes: a run that was interrupted goes on where it ended.
//
//	go run . [-run REGEXP] [-check] [-keep FOLDER]
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
	dir := flag.String("keep", filepath.Join(os.TempDir(), "doubletap-mutants"), "folder for what a run is continued from")
	root := flag.String("root", "../..", "the repository")
	flag.Parse()
	if err := run(*root, *dir, *only, *check); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(root, dir, only string, check bool) error {
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
	var chosen []int
	for n, m := range all {
		if wanted.MatchString(m.why + "\n" + m.file + "\n" + m.list) {
			chosen = append(chosen, n)
		}
	}
	kept, err := openRun(root, dir)
	if err != nil {
		return err
	}
	return runChosen(root, kept, all, chosen)
}

// runChosen runs the tests of the chosen mutants that have no verdict yet, and prints what became of each and of each
// list.
func runChosen(root string, kept *keptRun, all []mutant, chosen []int) error {
	tests, err := buildTests(root, kept, all, chosen)
	if err != nil {
		return err
	}
	wanted := make([]mutant, len(chosen))
	for i, n := range chosen {
		wanted[i] = all[n]
	}
	if err := tests.expectGreen(wanted); err != nil {
		return err
	}
	var lists []string
	killed, total := map[string]int{}, map[string]int{}
	for _, n := range chosen {
		m, began := all[n], time.Now()
		verdict := kept.verdicts[m.list]
		if verdict == "" {
			if verdict, err = tests.judge(m, n); err == nil {
				err = kept.add(m.list, verdict)
			}
			if err != nil { // not kept: the next run tries again
				fmt.Println(err)
			}
		}
		fmt.Printf("%-6s %4.0f s  %-26s %s: %s\n", verdict, time.Since(began).Seconds(), m.list, m.file, m.why)
		list, _, _ := strings.Cut(m.list, ":")
		if !slices.Contains(lists, list) {
			lists = append(lists, list)
		}
		total[list]++
		if strings.HasPrefix(verdict, "killed") {
			killed[list]++
		}
	}
	sum := 0
	for _, list := range lists {
		fmt.Printf("%3d of %3d killed  %s\n", killed[list], total[list], list)
		sum += killed[list]
	}
	fmt.Printf("%3d of %3d mutants killed, %.0f %%\n", sum, len(chosen), 100*float64(sum)/float64(max(1, len(chosen))))
	if sum < len(chosen) {
		return fmt.Errorf("%d mutants are not killed", len(chosen)-sum)
	}
	return nil
}

// judge runs the mutant's tests. A test that hangs notices the mutant, if it ends within the same limit without it.
func (b *testBinaries) judge(m mutant, number int) (verdict string, err error) {
	noticed, err := b.isNoticed(m, number)
	if errors.Is(err, errHangs) {
		if output, err := b.runTest(m, -1, m.pattern(), b.limit(m)); err != nil {
			return "BROKEN", fmt.Errorf("%s: the machine is too slow now: %w: %s", m.list, err, output)
		}
		return "killed (hangs)", nil
	}
	switch {
	case err != nil:
		return "BROKEN", err
	case noticed:
		return "killed", nil
	}
	return "ALIVE", nil
}

// isNoticed reports whether the mutant's test fails.
func (b *testBinaries) isNoticed(m mutant, number int) (bool, error) {
	if b.alone[number] {
		return m.isNoticedAlone(b.root)
	}
	output, err := b.runTest(m, number, m.pattern(), b.limit(m))
	if errors.Is(err, errHangs) {
		return false, err
	}
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
