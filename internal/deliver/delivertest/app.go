// Package delivertest is the other side of delivery for tests, on loopback: push services that decrypt what they are
// sent, receivers of webhooks, and a mail server.
package delivertest

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	_ "github.com/doubletap/doubletap/internal/visibility" // the migrations use its functions
	_ "github.com/doubletap/doubletap/migrations"
)

// WaitTimeout is how long a test waits for something that must come.
const WaitTimeout = 20 * time.Second

// NewApp returns a migrated app without any of the service's hooks, that reaches loopback.
func NewApp(t testing.TB) core.App {
	t.Helper()
	return OpenApp(t, dbtest.MigratedFolder(t))
}

// OpenApp opens an app on a data folder.
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

// AllowLoopback lets app send requests to servers on loopback, and try them again soon after failures.
func AllowLoopback(app core.App) {
	client := outbound.New(true)
	client.BreakerTimeout = time.Millisecond
	outbound.SetClient(app, client)
}
