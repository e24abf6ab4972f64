package pb_public

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
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

var (
	importPattern  = regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*? from '(\.[^']+)'`)
	preloadPattern = regexp.MustCompile(`modulepreload" href="/([^"]+)"`)
	shelfPattern   = regexp.MustCompile(`'/([^']*)'`)
)

// The first load is small, and the page names all of it at once, so that no module waits for another to be read.
func TestTheFirstLoadIsSmallAndNamed(t *testing.T) {
	const most = 60 << 10
	want := map[string]bool{}
	size := 0
	var walk func(name string)
	walk = func(name string) {
		if want[name] {
			return
		}
		want[name] = true
		content, err := fs.ReadFile(FS, name)
		if err != nil {
			t.Fatal(err)
		}
		size += compressedSize(t, content)
		for _, found := range importPattern.FindAllSubmatch(content, -1) {
			walk(path.Join(path.Dir(name), string(found[1])))
		}
	}
	walk("app.js")
	t.Logf("%d modules, %d bytes compressed", len(want), size)
	if size > most {
		t.Errorf("the first load is %d bytes of compressed JavaScript, want at most %d", size, most)
	}
	page, err := fs.ReadFile(FS, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	named := []string{"app.js"}
	for _, found := range preloadPattern.FindAllSubmatch(page, -1) {
		named = append(named, string(found[1]))
	}
	for name := range want {
		if !slices.Contains(named, name) {
			t.Errorf("index.html does not preload %s", name)
		}
	}
	for _, name := range named {
		if !want[name] {
			t.Errorf("index.html preloads %s, which the first load does not need", name)
		}
	}
}

func compressedSize(t *testing.T, content []byte) int {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// What the service worker does not keep is missing when there is no connection.
func TestTheServiceWorkerKeepsEveryFile(t *testing.T) {
	worker, err := fs.ReadFile(FS, "sw.js")
	if err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(string(worker), "];")
	kept := map[string]bool{}
	for _, found := range shelfPattern.FindAllStringSubmatch(list, -1) {
		kept[found[1]] = true
	}
	err = fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".txt" || path.Ext(name) == ".ts" || name == "sw.js" || name == "index.html" {
			return err
		}
		if !kept[name] {
			t.Errorf("sw.js does not keep %s", name)
		}
		delete(kept, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(kept, "") // the page itself
	for name := range kept {
		t.Errorf("sw.js keeps %s, which is not there", name)
	}
}
