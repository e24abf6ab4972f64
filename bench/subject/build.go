package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Bench is the bench folder, with the place where a run stores its files.
type Bench struct {
	Folder string
	Run    string // the folder of this run alone; Close deletes it
}

// OpenBench returns the bench folder with a folder for this run, and deletes the folders of runs whose process has
// ended.
func OpenBench(folder string) (Bench, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Bench{}, err
	}
	b := Bench{Folder: folder}
	old, err := filepath.Glob(b.CachePath("run-*"))
	if err != nil {
		return Bench{}, err
	}
	for _, dir := range old {
		if _, err := os.Stat("/proc/" + strings.TrimPrefix(filepath.Base(dir), "run-")); err != nil {
			_ = os.RemoveAll(dir) // if this fails, the folder does no harm
		}
	}
	b.Run = b.CachePath(fmt.Sprintf("run-%d", os.Getpid()))
	return b, os.MkdirAll(b.Run, 0o755)
}

// Close deletes the folder of this run.
func (b Bench) Close() error { return os.RemoveAll(b.Run) }

// CachePath returns a path inside the cache, whose files may be deleted between runs. The cache is not below the
// temporary folder, since PocketBase takes a program there for one of `go run` and turns on its development mode.
func (b Bench) CachePath(parts ...string) string {
	return filepath.Join(append([]string{b.Folder, "cache"}, parts...)...)
}

// BuildSubject builds a subject as the product's Dockerfile does, and returns the program.
func (b Bench) BuildSubject(s Subject) (string, error) {
	module := filepath.Join(b.Folder, s.Module)
	switch {
	case s.Without != nil:
		overlay, err := b.writeOverlay(module, *s.Without)
		if err != nil {
			return "", err
		}
		return b.buildProgram(module, s.Package, s.Name, "-overlay", overlay)
	case s.Module == ".":
		return b.buildProgram(module, s.Package, filepath.Base(s.Package))
	}
	return b.buildProgram(module, s.Package, s.Kind)
}

// writeOverlay writes the edited file, and returns the path of the overlay that makes the compiler read it instead of
// the module's own.
func (b Bench) writeOverlay(module string, e Edit) (string, error) {
	path := filepath.Join(module, e.File)
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if bytes.Count(source, []byte(e.Old)) != 1 {
		return "", fmt.Errorf("leave %s out: %s does not have %q once", e.Technique, e.File, e.Old)
	}
	edited := filepath.Join(b.Run, e.Technique+".go")
	if err := os.WriteFile(edited, bytes.Replace(source, []byte(e.Old), []byte(e.New), 1), 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: edited}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(b.Run, e.Technique+".json")
	return list, os.WriteFile(list, overlay, 0o644)
}

// BuildTool builds the program that works on data folders.
func (b Bench) BuildTool() (string, error) { return b.buildProgram(b.Folder, "./tool", "tool") }

func (b Bench) buildProgram(module, pkg, name string, flags ...string) (string, error) {
	program := b.CachePath("bin", name)
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", program}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return program, nil
}
