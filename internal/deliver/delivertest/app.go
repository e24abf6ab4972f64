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

// WaitTimeout is how long a test waits for what must come.
const WaitTimeout = 20 * time.Second

// NewApp returns a migrated app without any of the service's hooks, that reaches loopback.
func NewApp(t testing.TB) core.App {
	t.Helper()
	return OpenApp(t, dbtest.MigratedFolder(t))
}

// OpenApp starts an app on a data folder.
func OpenApp(t testing.TB, dir string) core.App {
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
	AllowLoopback(app)
	return app
}

// AllowLoopback lets app ask servers on loopback, and forgive them soon.
func AllowLoopback(app core.App) {
	client := outbound.New(true)
	client.BreakerTimeout = time.Millisecond
	outbound.SetClient(app, client)
}
