package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestDatabaseNamesEachModuleOnce reads the database as govulncheck does: modules first, then their reports.
func TestDatabaseNamesEachModuleOnce(t *testing.T) {
	source, dir := t.TempDir(), t.TempDir()
	for id, text := range map[string]string{
		"GO-2026-0001": `{"id":"GO-2026-0001","modified":"2026-01-02T00:00:00Z","affected":[{"package":{"name":"example.com/a"}},{"package":{"name":"example.com/a"}}]}`,
		"GO-2026-0002": `{"id":"GO-2026-0002","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"name":"example.com/a"}},{"package":{"name":"stdlib"}}]}`,
	} {
		if err := os.WriteFile(filepath.Join(source, id+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeDatabase(source, dir); err != nil {
		t.Fatal(err)
	}
	var modules []module
	readJSONInto(t, filepath.Join(dir, "index", "modules.json"), &modules)
	if len(modules) != 2 || modules[0].Path != "example.com/a" || len(modules[0].Vulns) != 2 || modules[1].Path != "stdlib" {
		t.Errorf("modules: %+v", modules)
	}
	var db struct{ Modified string }
	readJSONInto(t, filepath.Join(dir, "index", "db.json"), &db)
	if db.Modified != "2026-01-02T00:00:00Z" {
		t.Errorf("the database was modified at %q", db.Modified)
	}
	var whole report
	readJSONInto(t, filepath.Join(dir, "ID", "GO-2026-0002.json"), &whole)
	if len(whole.Affected) != 2 {
		t.Errorf("the report lost what it concerns: %+v", whole)
	}
	if err := writeDatabase(t.TempDir(), t.TempDir()); err == nil {
		t.Error("a database without reports would find nothing and say that all is well")
	}
}

func readJSONInto(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
