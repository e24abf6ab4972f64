// Package dbtest opens apps for tests that need no service, only its collections.
package dbtest

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// New opens an app in a folder of its own, with the collections of the migrations that the test imports. It ends with the test.
func New(t testing.TB, config core.BaseAppConfig) *core.BaseApp {
	t.Helper()
	config.DataDir = t.TempDir()
	app := core.NewBaseApp(config)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.ClearBootstrap() })
	app.Settings().Logs.MaxDays = 0 // nobody reads them
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	return app
}
