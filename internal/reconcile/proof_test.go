package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

func execAll(t *testing.T, app core.App, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(app, statement, nil); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// newBusyApp returns an app in which ten people like a post of ada's, and bob comments on it and follows her.
func newBusyApp(t *testing.T) *core.BaseApp {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	const at = `'2026-01-01 00:00:00.000Z'`
	execAll(t, app,
		`WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 9)
			INSERT INTO users (id, handle, tokenKey, state, role) SELECT 'fan' || i, 'fan' || i, 'key' || i, 'active', 'member' FROM n`,
		`INSERT INTO users (id, handle, tokenKey, state, role) VALUES ('ada', 'ada', 'ada', 'active', 'member')`,
		`INSERT INTO settings (id, user, seq) SELECT 's' || id, id, 9 FROM users`,
		`INSERT INTO posts (id, author, photos, media, caption, visibility) VALUES ('sea', 'ada', '["a.jpg"]', '[{"w":3,"h":2,"hash":"x"}]', 'the sea', 'public')`,
		`UPDATE search_posts SET words = doubletap_words('the sea', '')`,
		`INSERT INTO likes (id, post, user) SELECT doubletap_key('likes', 'sea', id), 'sea', id FROM users WHERE id != 'ada'`,
		`INSERT INTO comments (id, post, author, text) VALUES ('wow', 'sea', 'fan0', 'wow')`,
		`INSERT INTO follows (id, follower, followee, state) VALUES (doubletap_key('follows', 'fan0', 'ada'), 'fan0', 'ada', 'accepted')`,
		`INSERT INTO retractions (id, recipient, seq) VALUES ('gone', 'ada', 1)`,
		`INSERT INTO notifications (id, recipient, type, post, groupKey, latestAt, seq) VALUES ('told', 'ada', 'like', 'sea', 'like:sea:x', `+at+`, 2)`,
		`INSERT INTO notification_events (id, notification, recipient, actor, type, subject, active, created) SELECT 'e' || id, 'told', 'ada', id, 'like', 'sea', 1, `+at+` FROM users WHERE id != 'ada' ORDER BY id`,
		`UPDATE notifications AS t SET actors = `+actorsSQL)
	return app
}

// examineWithoutProofs asks every condition of every row.
func examineWithoutProofs(ctx context.Context, app core.App, all []*Invariant) []*Result {
	found := map[*Invariant]*Result{}
	var results []*Result
	for _, i := range all {
		found[i] = &Result{Invariant: i}
		results = append(results, found[i])
	}
	for _, s := range groupScans(all) {
		s.proof = nil
		if err := s.examine(ctx, app, newMemory(0), found, ExamineOptions{}); err != nil {
			for _, i := range s.invariants {
				found[i].Err = err
			}
		}
	}
	return results
}

// rowInvariants returns those that the app's data breaks not already.
func rowInvariants(t *testing.T, app core.App) []*Invariant {
	t.Helper()
	all, err := RowInvariants(app)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Examine(t.Context(), app, all, ExamineOptions{}) {
		if r.IsBroken() && r.Check != "search" || r.Err != nil {
			t.Fatal(r.Detail())
		}
	}
	return all
}

// TestAValueOfAnotherKindIsNotProved: a BLOB of the same bytes is another value to SQL than the text, in every column of
// every table that a proof reads.
func TestAValueOfAnotherKindIsNotProved(t *testing.T) {
	app := newBusyApp(t)
	all := rowInvariants(t, app)
	for _, table := range readingOrder {
		var columns []string
		if err := db.QueryColumn(app, &columns, `SELECT name FROM pragma_table_info({:table}) WHERE pk = 0 OR type = 'TEXT'`, db.Params{"table": table}); err != nil {
			t.Fatal(err)
		}
		for _, column := range columns {
			if !slices.ContainsFunc(slices.Concat(proofs[table].texts, proofs[table].numbers), func(expression string) bool {
				return strings.HasPrefix(expression+",", "t."+column+",") || strings.HasPrefix(expression, "ifnull(t."+column+",")
			}) {
				continue
			}
			t.Run(table+"."+column, func(t *testing.T) {
				execAll(t, app, fmt.Sprintf(`CREATE TEMP TABLE kept AS SELECT rowid n, %s v FROM %s LIMIT 1`, column, table),
					fmt.Sprintf(`UPDATE OR IGNORE %s SET %s = CAST(%[2]s AS BLOB) WHERE rowid = (SELECT n FROM kept)`, table, column))
				with, without := Examine(t.Context(), app, all, ExamineOptions{}), examineWithoutProofs(t.Context(), app, all)
				for at := range with {
					if with[at].Count != without[at].Count || with[at].Err != nil || without[at].Err != nil {
						t.Errorf("%s: %d rows, %v; without proofs %d, %v", with[at].Label(), with[at].Count, with[at].Err, without[at].Count, without[at].Err)
					}
				}
				execAll(t, app, fmt.Sprintf(`UPDATE %s SET %s = (SELECT v FROM kept) WHERE rowid = (SELECT n FROM kept)`, table, column), `DROP TABLE kept`)
			})
		}
	}
}

// TestAWriteMeanwhileHidesNoWrongCounter: a counter that is wrong by one is found also if a write between the scans of
// two tables makes it equal to what was counted before.
func TestAWriteMeanwhileHidesNoWrongCounter(t *testing.T) {
	for label, change := range map[string]struct{ wrong, write string }{
		"counter of posts.likesCount":    {`UPDATE posts SET likesCount = likesCount + 1`, `DELETE FROM likes WHERE user = 'fan0'`},
		"counter of posts.commentsCount": {`UPDATE posts SET commentsCount = commentsCount + 1`, `DELETE FROM comments`},
		"actors":                         {`UPDATE notifications SET actorsCount = actorsCount + 1`, `UPDATE notification_events SET active = 0 WHERE actor = 'fan0'`},
	} {
		for _, table := range readingOrder {
			t.Run(label+" after "+table, func(t *testing.T) {
				app := newBusyApp(t)
				all := rowInvariants(t, app)
				execAll(t, app, change.wrong)
				written := false
				results := Examine(t.Context(), app, all, ExamineOptions{Report: func(what string, _ int) {
					if what == table && !written {
						written = true
						execAll(t, app, change.write)
					}
				}})
				for _, r := range results {
					if r.Label() == label && r.Count != 1 {
						t.Errorf("broken by %d rows, %v", r.Count, r.Err)
					}
				}
				if !written {
					t.Error("nothing was written")
				}
			})
		}
	}
}
