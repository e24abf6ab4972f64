package moderation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility" // the rules of the collections call its functions
	_ "github.com/doubletap/doubletap/migrations"          // the collections
)

// idOf returns the id of a row that is called name.
func idOf(name string) string { return name + strings.Repeat("0", 15-len(name)) }

// newWorld opens a data folder in which bob has reported ada's post, a comment of hers and herself. meg moderates, and
// so does mel.
func newWorld(t *testing.T) core.App {
	t.Helper()
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	insert := func(table, name string, row dbx.Params) {
		row["id"], row["created"], row["updated"] = idOf(name), clock.Timestamp(app), clock.Timestamp(app)
		if _, err := app.NonconcurrentDB().Insert(table, row).Execute(); err != nil {
			t.Fatalf("insert %s into %s: %v", name, table, err)
		}
	}
	for name, role := range map[string]string{"ada": "member", "bob": "member", "meg": "moderator", "mel": "moderator"} {
		insert("users", name, dbx.Params{"handle": name, "email": name + "@example.com", "tokenKey": strings.Repeat(name, 12), "password": "x", "state": "active", "role": role})
	}
	insert("posts", "post", dbx.Params{"author": idOf("ada"), "photos": `["a.jpg"]`, "visibility": "public"})
	insert("comments", "comment", dbx.Params{"author": idOf("ada"), "post": idOf("post"), "text": "x"})
	for name, on := range map[string]dbx.Params{
		"onpost": {"post": idOf("post")}, "oncomment": {"post": idOf("post"), "comment": idOf("comment")}, "onuser": {"user": idOf("ada")},
		"onmoderator": {"user": idOf("mel")}, "ongone": {"post": ""}, "bymeg": {"user": idOf("ada")},
	} {
		on["reporter"], on["reason"], on["state"] = idOf("bob"), "spam", Open
		if name == "bymeg" {
			on["reporter"] = idOf("meg")
		}
		insert("reports", name, on)
	}
	return app
}

// TestDecisions goes through what a moderator may do about which report: what is changed by it, and who is told.
func TestDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		report, action string
		by             string // meg, if empty
		changed        string // a condition in SQL
		told           []string
	}{
		"dismiss":                          {"onpost", Dismiss, "", `(SELECT hidden FROM posts) = 0`, []string{"bob report_dismissed"}},
		"hide a post":                      {"onpost", Hide, "", `(SELECT hidden FROM posts) = 1`, []string{"ada post_hidden", "bob report_upheld"}},
		"hide a comment, not its post":     {"oncomment", Hide, "", `(SELECT hidden FROM comments) = 1 AND (SELECT hidden FROM posts) = 0`, []string{"ada comment_hidden", "bob report_upheld"}},
		"unhide what is not hidden":        {"onpost", Unhide, "", `(SELECT state FROM reports WHERE id = 'onpost000000000') = 'open'`, nil},
		"suspend the author of a post":     {"onpost", Suspend, "", `(SELECT state FROM users WHERE handle = 'ada') = 'suspended'`, []string{"bob report_upheld"}},
		"suspend who is reported":          {"onuser", Suspend, "", `(SELECT state FROM users WHERE handle = 'ada') = 'suspended'`, []string{"bob report_upheld"}},
		"unsuspend who is not suspended":   {"onuser", Unsuspend, "", `(SELECT state FROM users WHERE handle = 'ada') = 'active'`, nil},
		"one's own report tells nobody":    {"bymeg", Dismiss, "meg", `(SELECT state FROM reports WHERE id = 'bymeg0000000000') = 'dismissed'`, nil},
		"about another moderator, dismiss": {"onmoderator", Dismiss, "", `true`, []string{"bob report_dismissed"}},
		"of something that is gone":        {"ongone", Dismiss, "", `true`, []string{"bob report_dismissed"}},
	} {
		t.Run(name, func(t *testing.T) {
			app := newWorld(t)
			told, err := decide(t, app, c.report, c.action, c.by)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, c.told) {
				t.Errorf("told %q, want %q", told, c.told)
			}
			var changed bool
			if _, err := db.QueryValue(app, &changed, `SELECT `+c.changed, nil); err != nil || !changed {
				t.Errorf("not so afterwards: %s (%v)", c.changed, err)
			}
			var audits int
			if _, err := db.QueryValue(app, &audits, `SELECT count(*) FROM audit`, nil); err != nil || audits != 1 {
				t.Errorf("%d entries in the audit (%v), want 1", audits, err)
			}
		})
	}
}

// TestRefusedDecisions goes through what a moderator may not do: nothing is changed by it.
func TestRefusedDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		report, action, by string
		status             int
	}{
		"about oneself":                      {"onmoderator", Dismiss, "mel", 403},
		"suspend a moderator":                {"onmoderator", Suspend, "", 403},
		"hide a person":                      {"onuser", Hide, "", 400},
		"hide what is gone":                  {"ongone", Hide, "", 400},
		"suspend the author of what is gone": {"ongone", Suspend, "", 400},
		"an unknown action":                  {"onpost", "burn", "", 400},
		"a report that is not there":         {"missing", Dismiss, "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			app := newWorld(t)
			_, err := decide(t, app, c.report, c.action, c.by)
			if status := router.ToApiError(err).Status; err == nil || status != c.status {
				t.Errorf("error %v, want status %d", err, c.status)
			}
			var changed int
			if _, err := db.QueryValue(app, &changed, `SELECT (SELECT count(*) FROM reports WHERE state != 'open') + (SELECT count(*) FROM audit) + (SELECT hidden FROM posts)`, nil); err != nil || changed != 0 {
				t.Errorf("%d rows are changed (%v)", changed, err)
			}
		})
	}
}

// TestADecisionIsToldOnce repeats decisions: who knows already is not told again.
func TestADecisionIsToldOnce(t *testing.T) {
	app := newWorld(t)
	for _, step := range []struct {
		action string
		told   []string
	}{
		{Hide, []string{"ada post_hidden", "bob report_upheld"}}, {Hide, nil}, {Unhide, []string{"ada post_restored"}}, {Unhide, nil},
		{Suspend, nil}, {Unsuspend, []string{"ada account_restored"}}, {Unsuspend, nil}, {Dismiss, []string{"bob report_dismissed"}},
	} {
		told, err := decide(t, app, "onpost", step.action, "")
		if err != nil || !slices.Equal(told, step.told) {
			t.Errorf("%s tells %q (%v), want %q", step.action, told, err, step.told)
		}
	}
}

func TestWhoMayModerate(t *testing.T) {
	app := newWorld(t)
	if MayModerate(nil) {
		t.Error("a guest moderates")
	}
	for name, want := range map[string]bool{"ada": false, "meg": true} {
		if got := MayModerate(find(t, app, "users", name)); got != want {
			t.Errorf("%s moderates: %v", name, got)
		}
	}
	suspended := find(t, app, "users", "meg")
	suspended.Set("state", "suspended")
	if MayModerate(suspended) {
		t.Error("a suspended moderator moderates")
	}
}

// decide applies a decision and returns who is told of it and what.
func decide(t *testing.T, app core.App, report, action, by string) (told []string, err error) {
	t.Helper()
	if by == "" {
		by = "meg"
	}
	err = app.RunInTransaction(func(tx core.App) error {
		events, err := ApplyDecision(tx, Decision{Report: idOf(report), Action: action, By: find(t, tx, "users", by)})
		for _, e := range events {
			told = append(told, fmt.Sprint(strings.TrimRight(e.Recipient, "0"), " ", e.Message))
		}
		return err
	})
	var answer *router.ApiError
	if err != nil && !errors.As(err, &answer) {
		err = fmt.Errorf("no answer for a client: %w", err)
	}
	return told, err
}

func find(t *testing.T, app core.App, collection, name string) *core.Record {
	t.Helper()
	record, err := db.FindRecord(app, collection, idOf(name))
	if err != nil || record == nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return record
}
