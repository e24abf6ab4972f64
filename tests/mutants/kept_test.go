package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestAnInterruptedRunGoesOn keeps verdicts until a file of the repository changes.
func TestAnInterruptedRunGoesOn(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFile := func(name, content string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expectVerdict := func(when, want string) *keptRun {
		t.Helper()
		kept, err := openRun(root, dir)
		if err != nil || kept.verdicts["hooks.txt:1"] != want {
			t.Fatalf("%s: %+v, error %v, want the verdict %q", when, kept, err, want)
		}
		return kept
	}
	initialize := exec.Command("git", "init", "-q")
	initialize.Dir = root
	if output, err := initialize.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	writeFile(".gitignore", "ignored\n")
	writeFile("a.go", "package a\n")
	if err := expectVerdict("a first run", "").add("hooks.txt:1", "killed (hangs)"); err != nil {
		t.Fatal(err)
	}
	writeFile("ignored", "changed")
	expectVerdict("nothing changed", "killed (hangs)")
	writeFile("a_test.go", "package a\n")
	expectVerdict("a test more", "")
	if folders, err := os.ReadDir(dir); err != nil || len(folders) != 1 {
		t.Errorf("there are %v, error %v, want nothing of the repository as it was", folders, err)
	}
}

func TestAHangingTestHasFiveTimesItsTime(t *testing.T) {
	m := mutant{test: []string{"./a", "-run", "TestOne|TestTwo$"}}
	b := &testBinaries{green: map[string]greenTests{}}
	b.noteSeconds("./a", []byte("=== RUN   TestOne\n--- PASS: TestOne (1.50s)\n    --- PASS: TestOne/part (0.50s)\n--- SKIP: TestTwo (2.50s)\n--- PASS: TestTwoMore (9.00s)\n"))
	b.noteSeconds("KEY=value ./a", []byte("--- PASS: TestOne (60.00s)\n"))
	if limit, want := b.limit(m), 5*(startOfTests+4*time.Second); limit != want {
		t.Errorf("the limit is %s, want %s", limit, want)
	}
}
