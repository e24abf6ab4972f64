package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/db/dbtest"
	_ "doubletap/internal/rule"
	_ "doubletap/migrations"
)

func TestCountersAreThoseOfTheTriggers(t *testing.T) {
	app := dbtest.New(t, core.BaseAppConfig{})
	known := map[string]bool{"count_notification_events_notifications_actorsCount_in": true}
	for _, c := range counters {
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

func TestAChecksRestEndsItToo(t *testing.T) {
	app := dbtest.New(t, core.BaseAppConfig{})
	const rows = 2*slice + 1
	_, err := db.Exec(app, `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {:rows})
		INSERT INTO hashtags (id, name, postsCount) SELECT 'tag' || i, 'tag' || i, i = {:rows} FROM n`, db.Params{"rows": rows})
	if err != nil {
		t.Fatal(err)
	}
	rests := 0
	f := &Found{Rest: func(time.Duration) error { rests++; return nil }}
	if n, first, err := f.Some(app, `hashtags t WHERE t.postsCount != 0`); n != 1 || first != fmt.Sprint("tag", rows) || err != nil || rests != 3 {
		t.Errorf("%d, %s, %v after %d rests", n, first, err, rests)
	}
	ended := errors.New("ended")
	f.Rest = func(time.Duration) error { return ended }
	if _, _, err := f.Some(app, `hashtags t WHERE 1`); !errors.Is(err, ended) {
		t.Errorf("it goes on: %v", err)
	}
}
