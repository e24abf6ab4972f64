package reconcile

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility"
	_ "github.com/doubletap/doubletap/migrations"
)

func TestCountersAreThoseOfTheTriggers(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	known := map[string]bool{"count_notification_events_notifications_actorsCount_in": true}
	for _, source := range collection.All {
		for _, c := range source.Counts {
			known["count_"+source.Name+"_"+c.Target+"_"+c.Column+"_in"] = true
		}
	}
	var triggers []string
	if err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger'`).Column(&triggers); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if strings.HasPrefix(name, "count_") && strings.HasSuffix(name, "_in") {
			if !known[name] {
				t.Errorf("%s counts, and no descriptor of internal/collection has it among its Counts", name)
			}
			delete(known, name)
		}
	}
	for name := range known {
		t.Errorf("no trigger is called %s", name)
	}
}
