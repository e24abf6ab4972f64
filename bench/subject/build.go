package subject

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Bench is the bench folder: where its source lies, and where it keeps what it made.
type Bench struct {
	Folder string
	Run    string // of this run alone; gone when it is over
}

// Open returns the bench folder with a place for this run, and deletes those that were left behind.
func Open(folder string) (Bench, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Bench{}, err
	}
	b := Bench{Folder: folder}
	old, err := filepath.Glob(b.Cache("run-*"))
	if err != nil {
		return Bench{}, err
	}
	for _, dir := range old {
		if _, err := os.Stat("/proc/" + strings.TrimPrefix(filepath.Base(dir), "run-")); err != nil {
			_ = os.RemoveAll(dir) // it is in nobody's way
		}
	}
	b.Run = b.Cache(fmt.Sprintf("run-%d", os.Getpid()))
	return b, os.MkdirAll(b.Run, 0o755)
}

// Close deletes what this run alone needed.
func (b Bench) Close() error { return os.RemoveAll(b.Run) }

// Cache returns a path inside the folder of what may be deleted at any time. It is not below the
// temporary folder, since PocketBase takes a program there for `go run` and turns on its development mode.
func (b Bench) Cache(parts ...string) string {
	return filepath.Join(append([]string{b.Folder, "cache"}, parts...)...)
}

// Build builds a subject as the product's Dockerfile does, and returns the program.
func (b Bench) Build(s Subject) (string, error) {
	name := s.Kind
	if s.Module == "." {
		name = filepath.Base(s.Package)
	}
	return b.build(filepath.Join(b.Folder, s.Module), s.Package, name)
}

// BuildTool builds the program that works on data folders.
func (b Bench) BuildTool() (string, error) { return b.build(b.Folder, "./tool", "tool") }

func (b Bench) build(module, pkg, name string) (string, error) {
	program := b.Cache("bin", name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return program, nil
}
