package notification

import (
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

// TestWhoIsNotTold goes through what keeps bob's like of ada's post out of her tray.
func TestWhoIsNotTold(t *testing.T) {
	ada, bob := idOf("ada"), idOf("bob")
	mute := func(w *world, row map[string]any) {
		row["id"], row["muter"] = "mute00000000000", ada
		w.insert("mutes", row)
	}
	later := func(w *world, d time.Duration) string { return clock.FormatTime(clock.Now(w.app).Add(d)) }
	for name, c := range map[string]struct {
		before func(w *world)
		told   bool
	}{
		"nothing stands between them":           {func(*world) {}, true},
		"she muted him":                         {func(w *world) { mute(w, map[string]any{"muted": bob}) }, false},
		"she muted the post":                    {func(w *world) { mute(w, map[string]any{"post": adasPost}) }, false},
		"she muted somebody else":               {func(w *world) { mute(w, map[string]any{"muted": idOf("cyn")}) }, true},
		"she muted him but keeps notifications": {func(w *world) { mute(w, map[string]any{"muted": bob, "keepNotifications": true}) }, true},
		"her mute has ended":                    {func(w *world) { mute(w, map[string]any{"muted": bob, "until": later(w, -time.Second)}) }, true},
		"her mute has yet to end":               {func(w *world) { mute(w, map[string]any{"muted": bob, "until": later(w, time.Hour)}) }, false},
		"he muted her":                          {func(w *world) { w.insert("mutes", map[string]any{"id": "mute00000000000", "muter": bob, "muted": ada}) }, true},
		"she blocked him": {func(w *world) {
			w.insert("blocks", map[string]any{"id": "block0000000000", "blocker": ada, "blocked": bob})
		}, false},
		"he blocked her": {func(w *world) {
			w.insert("blocks", map[string]any{"id": "block0000000000", "blocker": bob, "blocked": ada})
		}, false},
		"her account is being deleted":            {func(w *world) { w.setState("deleting") }, false},
		"she wants none of the type":              {func(w *world) { w.prefer(`{"like":{"list":false}}`) }, false},
		"she wants none of another type":          {func(w *world) { w.prefer(`{"comment":{"list":false}}`) }, true},
		"she hears of those whom she follows":     {func(w *world) { w.prefer(`{"like":{"from":"follows"}}`) }, false},
		"she follows him":                         {func(w *world) { w.prefer(`{"like":{"from":"follows"}}`); w.follow(ada, bob, "accepted") }, true},
		"she has asked to follow him":             {func(w *world) { w.prefer(`{"like":{"from":"follows"}}`); w.follow(ada, bob, "pending") }, false},
		"he follows her":                          {func(w *world) { w.prefer(`{"like":{"from":"follows"}}`); w.follow(bob, ada, "accepted") }, false},
		"the app's owner drops it":                {func(w *world) { w.intercept(func(*Event) bool { return false }) }, false},
		"the app's owner only keeps it from live": {func(w *world) { w.intercept(func(e *Event) bool { e.Live = false; return true }) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.before(w)
			w.like("bob")
			if told := len(w.trayOf("ada")) == 1; told != c.told {
				t.Errorf("told: %v, want %v", told, c.told)
			}
			if n := w.value(`SELECT count(*) FROM notification_events WHERE active`); n != "1" {
				t.Errorf("%s events are recorded, told or not", n)
			}
		})
	}
}

func (w *world) setState(state string) {
	w.Helper()
	if _, err := w.app.NonconcurrentDB().NewQuery(`UPDATE users SET state = '` + state + `' WHERE id = '` + idOf("ada") + `'`).Execute(); err != nil {
		w.Fatal(err)
	}
}

func (w *world) prefer(notify string) {
	w.insert("settings", map[string]any{"id": idOf("ada"), "user": idOf("ada"), "notify": notify, "digest": "off", "seq": 0})
}

func (w *world) follow(follower, followee, state string) {
	w.insert("follows", map[string]any{"id": "follow000000000", "follower": follower, "followee": followee, "state": state})
}

func (w *world) intercept(keep func(*Event) bool) {
	SetListener(w.app, Listener{Intercept: func(_ core.App, e *Event) (bool, error) { return keep(e), nil }})
}

// TestOneActorAlertsOneRecipientSoOften looks at what may be sent of each of many things that bob does.
func TestOneActorAlertsOneRecipientSoOften(t *testing.T) {
	w := newWorld(t)
	pushes := 0
	w.intercept(func(e *Event) bool {
		if e.Push {
			pushes++
		}
		return true
	})
	likePosts := func(name string, from, to int) {
		for i := from; i < to; i++ {
			post := fmt.Sprintf("more%011d", i)
			w.insert("posts", map[string]any{"id": post, "author": idOf("ada"), "photos": `["a.jpg"]`, "visibility": "public"})
			w.inTx(func(tx core.App) error { return PostLiked(tx, idOf(name), post, idOf("ada")) })
		}
	}
	likePosts("bob", 0, 8)
	if pushes != maxAlertsPerHour {
		t.Errorf("%d of 8 things alert, want %d", pushes, maxAlertsPerHour)
	}
	likePosts("cyn", 8, 9)
	if pushes != maxAlertsPerHour+1 {
		t.Error("somebody else does not alert")
	}
	w.pass(time.Hour + time.Second)
	likePosts("bob", 9, 10)
	if pushes != maxAlertsPerHour+2 {
		t.Error("an hour later he does not alert")
	}
	if n := len(w.trayOf("ada")); n != 10 {
		t.Errorf("%d things are in the tray, want all 10", n)
	}
}
