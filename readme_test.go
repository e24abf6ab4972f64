package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var readmeProgram = regexp.MustCompile("(?s)```go\n(package main.*?)```")

// TestTheGoInTheReadmeBuilds compiles the README's program as a module of its own, so only against what is public.
// The JavaScript is run by tests/.
func TestTheGoInTheReadmeBuilds(t *testing.T) {
	snippet := readmeProgram.FindStringSubmatch(readFile(t, "README.md"))
	if snippet == nil {
		t.Fatal("README.md has no Go program")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.go": snippet[1],
		"go.mod":  "module snippet\n\ngo 1.27\n\nrequire (\n\tgithub.com/doubletap/doubletap v0.0.0\n\tgithub.com/pocketbase/pocketbase v0.40.4\n)\n\nreplace github.com/doubletap/doubletap => " + root + "\n",
		"go.sum":  readFile(t, "go.sum"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "build", "-mod=mod", "-o", os.DevNull, ".")
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}
