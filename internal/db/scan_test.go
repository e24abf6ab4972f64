package db_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

func TestAScanLeavesNothingMapped(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open, DataMaxOpenConns: 1, DataMaxIdleConns: 1})
	mapped := func() (limit int, pages bool) {
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip("needs Linux:", err)
		}
		for line := range strings.Lines(string(maps)) {
			pages = pages || strings.HasSuffix(strings.TrimSpace(line), app.DataDir()+"/data.db")
		}
		if err := app.ConcurrentDB().NewQuery(`PRAGMA mmap_size`).Row(&limit); err != nil {
			t.Fatal(err)
		}
		return limit, pages
	}
	if _, err := app.ConcurrentDB().NewQuery(`PRAGMA mmap_size = 1048576`).Execute(); err != nil {
		t.Fatal(err)
	}
	tables, look := 0, `SELECT count(*) FROM sqlite_master WHERE type = {:type}`
	if _, err := db.QueryValue(app, &tables, look, db.Params{"type": "table"}); err != nil {
		t.Fatal(err)
	}
	if limit, pages := mapped(); limit == 0 || !pages {
		t.Fatalf("at most %d bytes are mapped, some %t", limit, pages)
	}
	for _, statement := range []string{look, `SELECT count(*) FROM nowhere WHERE type = {:type}`} {
		tables = 0
		_, err := db.QueryRowUnmapped(app, statement, db.Params{"type": "table"}, &tables)
		if statement == look && (err != nil || tables == 0) || statement != look && err == nil {
			t.Errorf("%s: %d tables, %v", statement, tables, err)
		}
		if limit, pages := mapped(); limit == 0 || pages {
			t.Errorf("%s: at most %d bytes are mapped, some %t", statement, limit, pages)
		}
	}
	err := app.RunInTransaction(func(tx core.App) error {
		if _, err := db.Exec(tx, `CREATE TABLE fresh (id TEXT)`, nil); err != nil {
			return err
		}
		_, err := db.QueryRowUnmapped(tx, `SELECT count(*) FROM fresh`, nil, &tables)
		return err
	})
	if err != nil || tables != 0 {
		t.Errorf("in a transaction: %d rows, %v", tables, err)
	}
}

// SQLite's cache belongs to the whole process: what one connection gives back may be another's.
func TestAScanLeavesTheWritersCache(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open})
	writer := app.NonconcurrentDB().(*dbx.DB).DB()
	if _, err := writer.Exec(`PRAGMA quick_check`); err != nil { // reads every page
		t.Fatal(err)
	}
	before, err := db.CacheUsed(writer)
	if err != nil || before < 100_000 {
		t.Fatalf("the writer keeps %d bytes: %v", before, err)
	}
	var tables int
	if _, err := db.QueryRowUnmapped(app, `SELECT count(*) FROM sqlite_master`, nil, &tables); err != nil {
		t.Fatal(err)
	}
	if after, err := db.CacheUsed(writer); err != nil || after < before {
		t.Errorf("the writer keeps %d bytes instead of %d: %v", after, before, err)
	}
}
