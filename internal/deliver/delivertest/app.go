// Package delivertest holds the other side of delivery for tests, on loopback: push services
// that read what they are sent, receivers of webhooks, a mail server.
package delivertest

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db/dbtest"
	"doubletap/internal/deliver/outbound"
	_ "doubletap/internal/rule" // the migrations speak it
	_ "doubletap/migrations"
)

// Patience is how long a test waits for what must come.
const Patience = 20 * time.Second

// App returns a migrated app without any of the service's hooks, that reaches loopback.
func App(t testing.TB) core.App {
	t.Helper()
	return Open(t, dbtest.MigratedFolder(t))
}

// Open starts an app on a data folder.
func Open(t testing.TB, dir string) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal("bootstrap:", err)
	}
	t.Cleanup(func() {
		if err := app.ClearBootstrap(); err != nil {
			t.Error("end the app:", err)
		}
	})
	Reach(app)
	return app
}

// Reach lets app ask servers on loopback, and forgive them soon.
func Reach(app core.App) {
	client := outbound.New(true)
	client.Rest = time.Millisecond
	outbound.Use(app, client)
}
