package reconcile

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility"
	_ "github.com/doubletap/doubletap/migrations"
)

func TestCountersAreThoseOfTheTriggers(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	known := map[string]bool{"count_notification_events_notifications_actorsCount_in": true}
	for _, c := range counterColumns {
		known["count_"+c.source+"_"+c.target+"_"+c.column+"_in"] = true
	}
	var triggers []string
	if err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger'`).Column(&triggers); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if strings.HasPrefix(name, "count_") && strings.HasSuffix(name, "_in") {
			if !known[name] {
				t.Errorf("nobody counts what %s does", name)
			}
			delete(known, name)
		}
	}
	for name := range known {
		t.Errorf("no trigger is called %s", name)
	}
}
