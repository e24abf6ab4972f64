package published

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// published is the module as a tag would publish it.
var published = module.Version{Path: "github.com/doubletap/doubletap", Version: "v0.1.0"}

// makeProxy packs the repository into a folder that the go command takes for a module proxy. What git ignores is left
// out, and so are the modules in folders of their own, as a proxy does.
func makeProxy(t *testing.T, root string) string {
	t.Helper()
	listing := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	listing.Dir = root
	names, err := listing.Output()
	if err != nil {
		t.Fatal("list the files of the module:", err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil { // else it was deleted since the last commit
			files = append(files, moduleFile{root, name})
		}
	}
	proxy := t.TempDir()
	dir := filepath.Join(proxy, published.Path, "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(dir, published.Version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := zip.Create(archive, published, files); err != nil {
		t.Fatal("pack the module:", err)
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]string{"Version": published.Version, "Time": "2026-01-01T00:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"list": published.Version + "\n", published.Version + ".mod": string(goMod), published.Version + ".info": string(info)})
	return proxy
}

// moduleFile is a file of the module, with the path that it has there.
type moduleFile struct{ root, path string }

func (f moduleFile) Path() string                 { return f.path }
func (f moduleFile) Lstat() (fs.FileInfo, error)  { return os.Lstat(filepath.Join(f.root, f.path)) }
func (f moduleFile) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.root, f.path)) }

// makeModuleCache makes a module cache that has the modules of the ordinary one, by links, but none of ours.
func makeModuleCache(t *testing.T, ordinary string) string {
	t.Helper()
	cache := t.TempDir()
	folders := []string{"", "cache", "cache/download", "cache/download/github.com", "github.com"} // what lies between is linked
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(cache, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(ordinary, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := filepath.Join(folder, entry.Name())
			if slices.Contains(folders, name) || entry.Name() == "doubletap" {
				continue
			}
			if err := os.Symlink(filepath.Join(ordinary, name), filepath.Join(cache, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cache
}

func writeFiles(t *testing.T, dir string, contents map[string]string) {
	t.Helper()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
