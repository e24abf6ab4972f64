// Package dbtest opens apps for tests that need no service, only its collections.
package dbtest

import (
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pocketbase/pocketbase/core"
)

// NewApp opens an app in a folder of its own, with the collections of the migrations that the test imports. It ends
// with the test.
func NewApp(t testing.TB, config core.BaseAppConfig) *core.BaseApp {
	t.Helper()
	config.DataDir = MigratedFolder(t)
	app := core.NewBaseApp(config)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.ClearBootstrap() })
	app.Settings().Logs.MaxDays = 0 // nobody reads them
	return app
}

// MigratedFolder returns a data folder of the test's own, in which the migrations that the test imports have run. They run
// once in a process, as that takes seconds under the race detector.
func MigratedFolder(t testing.TB) string {
	t.Helper()
	source, err := migrated()
	if err != nil {
		t.Fatal("make a migrated data folder: ", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, source); err != nil {
		t.Fatal("copy the migrated data folder: ", err)
	}
	return dir
}

// migrated returns the files of the folder, from memory: a folder on the disk would have to be removed by somebody.
var migrated = sync.OnceValues(func() (fs.FS, error) {
	dir, err := os.MkdirTemp("", "dbtest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	if err := app.RunAllMigrations(); err != nil {
		return nil, err
	}
	if err := app.ClearBootstrap(); err != nil { // and the write-ahead logs are copied
		return nil, err
	}
	files := fstest.MapFS{}
	for _, name := range []string{"data.db", "auxiliary.db"} {
		content, err := fs.ReadFile(os.DirFS(dir), name)
		if err != nil {
			return nil, err
		}
		files[name] = &fstest.MapFile{Data: content}
	}
	return files, nil
})
