package datafolder

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	_ "modernc.org/sqlite"
)

func openPlainDB(path string) (*dbx.DB, error) { return dbx.Open("sqlite", path) }

// makeLogs creates logs with some rows and returns their path.
func makeLogs(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "auxiliary.db")
	db, err := openPlainDB(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, sql := range []string{
		`CREATE TABLE _logs (id TEXT, message TEXT)`,
		`INSERT INTO _logs SELECT hex(randomblob(8)), hex(randomblob(200)) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n)`,
	} {
		if _, err := db.NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestDamagedLogsAreSetAside(t *testing.T) {
	at := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	garbage := func(path string, from int64) {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteAt(slices.Repeat([]byte("damage"), 3000), from); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		damage func(path string)
		want   bool
	}{
		"sound":       {func(string) {}, false},
		"missing":     {func(path string) { _ = os.Remove(path) }, false},
		"empty":       {func(path string) { _ = os.Truncate(path, 0) }, false},
		"no database": {func(path string) { garbage(path, 0) }, true},
		"its schema":  {func(path string) { garbage(path, 100) }, true},
		"its rows":    {func(path string) { garbage(path, 20_000) }, true},
		"cut short":   {func(path string) { _ = os.Truncate(path, 40_000) }, true},
		"a folder":    {func(path string) { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := makeLogs(t, dir)
			test.damage(path)
			aside, err := SetAsideDamagedLogs(dir, openPlainDB, at)
			if err != nil {
				t.Fatal(err)
			}
			if (aside != "") != test.want || len(DamagedLogs(dir)) > 0 != test.want {
				t.Fatalf("set aside as %q, and then there are %v", aside, DamagedLogs(dir))
			}
			if _, err := os.Stat(path); test.want && err == nil {
				t.Error("the damaged logs are still in the way")
			}
			if test.want && aside != "auxiliary.db.damaged-20261130-060000" {
				t.Errorf("set aside as %s", aside)
			}
		})
	}
}

func TestAFolderIsClosedToOthers(t *testing.T) {
	dir := t.TempDir()
	for path, mode := range map[string]os.FileMode{"backups": 0o755, "storage": 0o750} {
		if err := os.Mkdir(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"data.db", "data.db-wal", "backups/b.zip"} {
		if err := os.WriteFile(filepath.Join(dir, path), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	closed, err := CloseToOthers(dir)
	if err != nil || len(closed) != 6 {
		t.Fatalf("closed %v, %v", closed, err)
	}
	if open, err := OpenToOthers(dir); err != nil || len(open) != 0 {
		t.Errorf("still open: %v, %v", open, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "data.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("data.db is %v, %v", info.Mode(), err)
	}
}
