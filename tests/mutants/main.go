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
	killed, alive := 0, 0
	for _, m := range all {
		if !wanted.MatchString(m.why + "\n" + m.file + "\n" + m.list) {
			continue
		}
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
	test := exec.Command("go", append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout=5m", "-overlay=" + overlay}, m.test...)...)
	test.Dir, test.Env = root, append(os.Environ(), m.env...)
	output, err := test.CombinedOutput()
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
