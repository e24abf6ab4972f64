package pb_public

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// A file that the patterns of embed.go miss would be there in the checkout and missing in the binary.
func TestEveryWebFileIsEmbedded(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		if _, err := fs.Stat(FS, name); err != nil {
			t.Errorf("%s is not embedded", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVendoredFilesAreAsPublished(t *testing.T) {
	list, err := fs.ReadFile(FS, "vendor/checksums.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{"checksums.txt": ""}
	for line := range strings.Lines(string(list)) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.HasPrefix(line, "#") {
			listed[name] = sum
		}
	}
	files, err := fs.ReadDir(FS, "vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := fs.ReadFile(FS, "vendor/"+file.Name())
		if err != nil {
			t.Fatal(err)
		}
		want, ok := listed[file.Name()]
		if !ok {
			t.Errorf("%s has no line in checksums.txt", file.Name())
		} else if got := fmt.Sprintf("%x", sha256.Sum256(content)); want != "" && got != want {
			t.Errorf("%s has checksum %s, want %s", file.Name(), got, want)
		}
	}
}

// The web app speaks to its own server only, and works under a policy without inline scripts and styles.
func TestPagesKeepTheContentPolicy(t *testing.T) {
	err := fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "vendor/") {
			return err
		}
		content, err := fs.ReadFile(FS, name)
		if err != nil {
			return err
		}
		for _, bad := range []string{"https://", " style=", "<style", "innerHTML", "eval("} {
			if strings.Contains(string(content), bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
