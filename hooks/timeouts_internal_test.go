package hooks

import (
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func TestAServerWaitsForHeadersForTenSeconds(t *testing.T) {
	t.Parallel()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	(&Social{app: app}).bindTimeouts()
	e := &core.ServeEvent{App: app, Server: &http.Server{ReadHeaderTimeout: time.Minute}, Router: router.NewRouter[*core.RequestEvent](nil)}
	if err := app.OnServe().Trigger(e); err != nil {
		t.Fatal(err)
	}
	if e.Server.ReadHeaderTimeout != 10*time.Second || e.Server.IdleTimeout != 2*time.Minute {
		t.Errorf("headers %v, idle %v", e.Server.ReadHeaderTimeout, e.Server.IdleTimeout)
	}
}
