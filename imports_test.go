package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are our packages from the lowest up: a package may import packages of lower layers, and none of its own or a
// higher one. docs/architecture.md draws the same picture.
var layers = [][]string{
	{"internal/clock", "internal/fault", "internal/edgeid", "internal/datafolder", "internal/gctune", "internal/setup", "internal/testenv", "internal/words", "internal/words/wordstest", "internal/metrics", "internal/db/dbtest", "migrations", "pb_public"},
	{"internal/db"},
	{"internal/photo/plane", "internal/photo/heif"},
	{"internal/photo/door", "internal/photo/baseline"},
	{"internal/photo", "internal/photo/heic", "internal/photo/phototest"},
	{"internal/rendition"},
	{"internal/visibility", "internal/batchwriter", "internal/job", "internal/account", "internal/guard", "internal/mention"},
	{"internal/sweep"},
	{"internal/search"},
	{"internal/post", "internal/comment", "internal/graph", "internal/story"},
	{"internal/deliver/outbound", "internal/deliver/secret", "internal/deliver/phrases"},
	{"internal/deliver/push", "internal/deliver/mail", "internal/deliver/webhook", "internal/deliver/delivertest"},
	{"internal/deliver/webpush", "internal/deliver/apns", "internal/deliver/fcm"},
	{"internal/deliver"},
	{"internal/inbox", "internal/fastpath", "internal/listing", "internal/sharepage"},
	{"internal/feed", "internal/notification"},
	{"internal/erase", "internal/retention", "internal/moderation", "internal/apidoc", "internal/insight"},
	{"internal/web"},
	{"internal/reconcile"},
	{"internal/demo", "internal/load"},
	{"internal/cli"},
	{"hooks"},
	{"hooks/hookstest"},
	{""},
}

// forbiddenImports are the packages of other modules that a part of ours must not use.
var forbiddenImports = map[string]struct {
	paths  []string
	except []string
}{
	// HTTP stays in hooks; the inbox speaks PocketBase's realtime, the commands serve, and web is HTTP
	"internal/": {paths: []string{"github.com/pocketbase/pocketbase/apis", "github.com/spf13/cobra"}, except: []string{"internal/inbox", "internal/cli", "internal/web"}},
	// an old step must still mean what it meant
	"migrations": {paths: []string{"github.com/doubletap/doubletap/"}},
}

func TestImportsPointDown(t *testing.T) {
	level := map[string]int{}
	for i, names := range layers {
		for _, name := range names {
			level[name] = i
		}
	}
	seen := map[string]bool{}
	for file, imports := range importsByFile(t) {
		pkg := filepath.ToSlash(filepath.Dir(file))
		if pkg == "." {
			pkg = ""
		}
		at, known := level[pkg]
		if !known {
			t.Errorf("%s: package %q is on no layer", file, pkg)
			continue
		}
		seen[pkg] = true
		for _, path := range imports {
			if name, ours := strings.CutPrefix(path, "github.com/doubletap/doubletap/"); ours && level[name] >= at {
				t.Errorf("%s imports %s, which is not below it", file, name)
			}
			for prefix, ban := range forbiddenImports {
				if strings.HasPrefix(pkg, prefix) && !slices.Contains(ban.except, pkg) &&
					slices.ContainsFunc(ban.paths, func(p string) bool { return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) }) {
					t.Errorf("%s must not import %s", file, path)
				}
			}
		}
	}
	for name := range level {
		if !seen[name] {
			t.Errorf("layer package %q has no files", name)
		}
	}
}

// TestOnlyHooksBinds keeps what happens (internal) apart from when it happens (hooks).
func TestOnlyHooksBinds(t *testing.T) {
	for file := range importsByFile(t) {
		if !strings.HasPrefix(file, "internal/") || strings.HasPrefix(file, "internal/cli/") { // a command serves, and ends with the program
			continue
		}
		source := readFile(t, file)
		for i, line := range strings.Split(source, "\n") {
			if at := strings.Index(line, ".On"); at >= 0 && strings.Contains(line[at:], "Bind") || strings.Contains(line, ".Cron()") {
				t.Errorf("%s:%d binds an event: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// importsByFile returns what each of our Go files imports, tests and modules of their own apart.
func importsByFile(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "bench" || path == "examples" || path == "tests" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, spec := range parsed.Imports {
			name, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
			imports = append(imports, name)
		}
		found[filepath.ToSlash(path)] = imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}
