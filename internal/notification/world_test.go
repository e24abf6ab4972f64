package notification

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility" // the rules of the collections call its functions
	_ "github.com/doubletap/doubletap/migrations"          // the collections
)

// world is a data folder in which ada has shared a post, and others do things to it. Nothing but this package runs.
type world struct {
	*testing.T
	app core.App
}

const adasPost = "post00000000000"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t, dbtest.NewApp(t, core.BaseAppConfig{})}
	for _, name := range []string{"ada", "bob", "cyn", "dan", "eve", "fay", "gus", "hal", "ivy", "jim"} {
		w.insert("users", map[string]any{"id": idOf(name), "handle": name, "email": name + "@example.com", "tokenKey": name + "-key", "password": "x",
			"state": "active", "role": "member", "verified": true})
	}
	w.insert("posts", map[string]any{"id": adasPost, "author": idOf("ada"), "photos": `["a.jpg"]`, "visibility": "public"})
	return w
}

// idOf returns the id of a person.
func idOf(name string) string { return name + strings.Repeat("0", 15-len(name)) }

// insert stores a row as an import does, without hooks.
func (w *world) insert(table string, row map[string]any) {
	w.Helper()
	row["created"], row["updated"] = clock.Timestamp(w.app), clock.Timestamp(w.app)
	if _, err := w.app.NonconcurrentDB().Insert(table, dbx.Params(row)).Execute(); err != nil {
		w.Fatalf("insert into %s: %v", table, err)
	}
}

func (w *world) inTx(do func(tx core.App) error) {
	w.Helper()
	if err := w.app.RunInTransaction(do); err != nil {
		w.Fatal(err)
	}
}

func (w *world) like(name string) {
	w.Helper()
	w.inTx(func(tx core.App) error { return PostLiked(tx, idOf(name), adasPost, idOf("ada")) })
}

func (w *world) unlike(name string) {
	w.Helper()
	w.inTx(func(tx core.App) error { return PostUnliked(tx, idOf(name), adasPost, idOf("ada")) })
}

// comment stores a comment by somebody and notifies of it.
func (w *world) comment(name, id string) {
	w.Helper()
	id += strings.Repeat("0", 15-len(id))
	w.insert("comments", map[string]any{"id": id, "post": adasPost, "author": idOf(name), "text": "x", "parent": ""})
	w.inTx(func(tx core.App) error {
		comment, post := w.record(tx, "comments", id), w.record(tx, "posts", adasPost)
		return CommentCreated(tx, comment, post, nil)
	})
}

func (w *world) record(app core.App, collection, id string) *core.Record {
	w.Helper()
	record, err := db.FindRecord(app, collection, id)
	if err != nil || record == nil {
		w.Fatalf("find %s %s: %v", collection, id, err)
	}
	return record
}

// trayOf returns somebody's tray, newest first, each row as "type count names", with "unread" where it is.
func (w *world) trayOf(name string) []string {
	w.Helper()
	var rows []struct {
		Type, Actors string
		Count        int  `db:"actorsCount"`
		Read         bool `db:"read"`
	}
	err := w.app.DB().NewQuery(`SELECT type, actors, actorsCount, read FROM notifications WHERE recipient = {:r} ORDER BY latestAt DESC, seq DESC`).
		Bind(dbx.Params{"r": idOf(name)}).All(&rows)
	if err != nil {
		w.Fatal(err)
	}
	tray := []string{}
	for _, row := range rows {
		var actors []string
		if err := json.Unmarshal([]byte(row.Actors), &actors); err != nil {
			w.Fatal(err)
		}
		for i := range actors {
			actors[i] = strings.TrimRight(actors[i], "0")
		}
		line := fmt.Sprintf("%s %d %s", row.Type, row.Count, strings.Join(actors, " "))
		if !row.Read {
			line += " unread"
		}
		tray = append(tray, line)
	}
	return tray
}

func (w *world) expectTray(name string, want ...string) {
	w.Helper()
	if got := w.trayOf(name); !slices.Equal(got, want) {
		w.Errorf("%s has %q, want %q", name, got, want)
	}
}

// value returns the one value that a statement finds.
func (w *world) value(sql string) (value string) {
	w.Helper()
	if _, err := db.QueryValue(w.app, &value, sql, nil); err != nil {
		w.Fatal(err)
	}
	return value
}
