package hooks_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/retention"
	"github.com/doubletap/doubletap/internal/testenv"
)

// agedRows are, for each rule, the row {:id} of the age {:at} that the rule deletes, and one of the same age that
// stays.
var agedRows = map[string]struct{ forgotten, kept string }{
	"notifications": {insertNotification("1"), ""}, // unread ones have the next rule
	"unread":        {insertNotification("0"), ""},
	"events": {`INSERT INTO notification_events (id, notification, recipient, actor, type, subject, active, created) VALUES ({:id}, '', {:ada}, {:bob}, 'like', {:id}, 0, {:at})`,
		`INSERT INTO notification_events (id, notification, recipient, actor, type, subject, active, created) VALUES ({:id}, 'somenotification', {:ada}, {:bob}, 'like', {:id}, 0, {:at})`},
	"retractions": {`INSERT INTO retractions (id, recipient, seq, created) SELECT {:id}, {:ada}, coalesce(max(seq), 0) + 1, {:at} FROM retractions`, ""},
	"devices": {`INSERT INTO devices (id, user, kind, endpoint, created, lastSeen) VALUES ({:id}, {:ada}, 'fcm', {:id}, {:at}, {:at})`,
		`INSERT INTO devices (id, user, kind, endpoint, created, lastSeen, answeredAt) VALUES ({:id}, {:ada}, 'fcm', {:id}, {:at}, {:at}, {:now})`},
	"idle-sessions": {`INSERT INTO account_sessions (id, user, method, lastSeen, ends, created) VALUES ({:id}, {:ada}, 'password', {:at}, '2999', {:at})`,
		`INSERT INTO account_sessions (id, user, method, lastSeen, ends, created) VALUES ({:id}, {:ada}, 'impersonation', {:at}, '2999', {:at})`},
	"sessions": {`INSERT INTO account_sessions (id, user, method, lastSeen, ends, created) VALUES ({:id}, {:ada}, 'password', {:now}, {:at}, {:at})`, ""},
	"mutes": {`INSERT INTO mutes (id, muter, post, until, created) VALUES ({:id}, {:ada}, {:id}, {:at}, {:at})`,
		`INSERT INTO mutes (id, muter, post, created) VALUES ({:id}, {:ada}, {:id}, {:at})`},
	"hashtags": {`INSERT INTO hashtags (id, name, created, updated) VALUES ({:id}, {:id}, {:at}, {:at})`,
		`INSERT INTO hashtags (id, name, banned, created, updated) VALUES ({:id}, {:id}, 1, {:at}, {:at})`},
	"reports": {`INSERT INTO reports (id, reporter, user, state, created, updated) VALUES ({:id}, {:ada}, {:bob}, 'upheld', {:at}, {:at})`,
		`INSERT INTO reports (id, reporter, user, state, created, updated) VALUES ({:id}, {:ada}, {:bob}, 'open', {:at}, {:at})`},
	"idempotency": {`INSERT INTO idempotency (id, user, [[key]], created) VALUES ({:id}, {:ada}, {:id}, {:at})`, ""},
	"audit":       {`INSERT INTO audit (id, actor, action, created) VALUES ({:id}, {:ada}, 'hide', {:at})`, ""},
	"jobs": {`INSERT INTO jobs (id, kind, state, runAt, created, updated) VALUES ({:id}, 'nothing', 'dead', {:at}, {:at}, {:at})`,
		`INSERT INTO jobs (id, kind, state, runAt, created, updated) VALUES ({:id}, 'nothing', 'ready', {:at}, {:at}, {:at})`},
	"deliveries": {`INSERT INTO webhook_deliveries (id, webhook, event, state, created, updated) VALUES ({:id}, {:ada}, {:id}, 'delivered', {:at}, {:at})`,
		`INSERT INTO webhook_deliveries (id, webhook, event, state, created, updated) VALUES ({:id}, {:ada}, {:id}, 'failing', {:at}, {:at})`},
	"handles": {`INSERT INTO handles (id, name, reason, user, until, created) VALUES ({:id}, {:id}, 'renamed', {:ada}, {:at}, {:at})`,
		`INSERT INTO handles (id, name, reason, user, created) VALUES ({:id}, {:id}, 'deleted', {:ada}, {:at})`},
}

func insertNotification(read string) string {
	return `INSERT INTO notifications (id, recipient, type, actors, read, latestAt, seq, groupKey, created)
		SELECT {:id}, {:ada}, 'system', '[]', ` + read + `, {:at}, coalesce(max(seq), 0) + 1, {:id}, {:at} FROM notifications`
}

// storeAged stores a row that is this many days old.
func storeAged(t *testing.T, s *hookstest.Service, statement, id string, days int) {
	t.Helper()
	now := clock.Now(s.App)
	params := map[string]any{"id": id, "at": clock.FormatTime(now.AddDate(0, 0, -days).Add(-time.Second)), "now": clock.FormatTime(now)}
	for name := range map[string]bool{"ada": true, "bob": true} {
		if strings.Contains(statement, "{:"+name+"}") {
			params[name] = s.User(name).Id
		}
	}
	execSQLWith(t, s, statement, params)
}

func runRetention(t *testing.T, s *hookstest.Service) {
	t.Helper()
	if err := job.Enqueue(s.App, retention.PurgeJob, nil); err != nil {
		t.Fatal(err)
	}
	s.RunJobs()
}

func TestRetention(t *testing.T) {
	testenv.SkipSequential(t)
	for _, rule := range retention.Rules {
		t.Run(rule.Name, func(t *testing.T) {
			s := hookstest.New(t)
			aged, known := agedRows[rule.Name]
			if !known {
				t.Fatal("no row of its kind is tried: add one to agedRows")
			}
			storeAged(t, s, aged.forgotten, "aged00000000old", rule.Days)
			storeAged(t, s, aged.forgotten, "agedyoung000000", rule.Days-1)
			if aged.kept != "" {
				storeAged(t, s, aged.kept, "agedkept0000000", 5000)
			}
			t.Setenv(retention.EnvVariable, rule.Name+"=forever")
			runRetention(t, s)
			if s.Record(rule.Table, "aged00000000old") == nil {
				t.Errorf("a row that is kept for good is gone")
			}
			t.Setenv(retention.EnvVariable, "")
			runRetention(t, s)
			if s.Record(rule.Table, "aged00000000old") != nil || s.Record(rule.Table, "agedyoung000000") == nil {
				t.Errorf("after %d days: old %v, young %v", rule.Days, s.Record(rule.Table, "aged00000000old"), s.Record(rule.Table, "agedyoung000000"))
			}
			if aged.kept != "" && s.Record(rule.Table, "agedkept0000000") == nil {
				t.Error("a row that stays for another reason is gone")
			}
			if rule.Days-1 < rule.MinDays {
				return
			}
			t.Setenv(retention.EnvVariable, fmt.Sprintf("%s=%d", rule.Name, rule.Days-1))
			runRetention(t, s)
			if s.Record(rule.Table, "agedyoung000000") != nil {
				t.Errorf("it is kept for longer than the operator says")
			}
		})
	}
}

func TestAnExpiredNotificationLeavesItsRetractionAndAlertsNobodyAgain(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("bob").Like(post)
	notification := s.As("ada").List("notifications", "")[0]
	s.As("ada").Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": notification["latestAt"]})
	s.Advance(91 * 24 * time.Hour)
	runRetention(t, s)
	if left := s.As("ada").List("notifications", ""); len(left) != 0 {
		t.Errorf("it is still there: %v", left)
	}
	if gone := s.As("ada").List("retractions", ""); len(gone) != 1 || gone[0]["notification"] != notification["id"] {
		t.Errorf("retracted: %v", gone)
	}
	if n := s.Rows("notification_events", "true"); n != 0 {
		t.Errorf("%d events are left", n)
	}
	if s.Record("posts", post).GetInt("likesCount") != 1 {
		t.Error("the like is gone")
	}
}

func TestRetentionIsShortTransactions(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	execSQLWith(t, s, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		INSERT INTO retractions (id, recipient, seq, created) SELECT printf('r%014d', i), {:ada}, i, '2026-01-01 00:00:00.000Z' FROM n`, map[string]any{"ada": s.User("ada").Id})
	w := recordWrites(s)
	runRetention(t, s)
	if most, n := w.takeLargest(); most > maxStepRows || n < 5000/maxStepRows {
		t.Errorf("%d transactions, the longest of %d rows", n, most)
	}
	if n := s.Rows("retractions", "true"); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestWrongRetentionIsRefused(t *testing.T) {
	for _, setting := range []string{"likes=3", "audit", "audit=", "audit=soon", "audit=-1", "audit=0", "retractions=6", "audit=99999999", "=3"} {
		t.Setenv(retention.EnvVariable, setting)
		if _, err := retention.DaysFromEnvironment(); err == nil || !strings.Contains(err.Error(), retention.EnvVariable) {
			t.Errorf("%q: %v", setting, err)
		}
	}
	t.Setenv(retention.EnvVariable, "audit=1, jobs=forever notifications=180,")
	if days, err := retention.DaysFromEnvironment(); err != nil || days["audit"] != 1 || days["jobs"] != retention.Forever || days["notifications"] != 180 || days["events"] != 90 {
		t.Errorf("%v %v", days, err)
	}
}

// TestEveryTableIsBounded compares docs/retention.md with the tables and the rules.
func TestEveryTableIsBounded(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	page, err := os.ReadFile("../docs/retention.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, bounds, _ := strings.Cut(string(page), "## What bounds each table")
	line := func(text, name string) []string {
		for l := range strings.Lines(text) {
			if strings.HasPrefix(l, "| `"+name+"` |") {
				return strings.Split(strings.Trim(l, "| \n"), " | ")
			}
		}
		return nil
	}
	var tables []string
	err = s.App.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'search_*_words_*'`).Column(&tables)
	if err != nil || len(tables) < 30 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	for _, table := range tables {
		if line(bounds, table) == nil {
			t.Errorf("%s: docs/retention.md does not say what bounds it", table)
		}
	}
	names := map[string]bool{}
	for _, rule := range retention.Rules {
		names[rule.Name] = true
		if l := line(rules, rule.Name); len(l) != 4 || l[2] != fmt.Sprint(rule.Days) || l[3] != fmt.Sprint(rule.MinDays) {
			t.Errorf("%s: %d days, at least %d, and docs/retention.md says %v", rule.Name, rule.Days, rule.MinDays, l)
		}
		if l := line(bounds, rule.Table); len(l) != 2 || !strings.Contains(l[1], "`"+rule.Name+"`") {
			t.Errorf("%s: its rule %s is not named among what bounds it: %v", rule.Table, rule.Name, l)
		}
	}
	for name := range maps.Keys(agedRows) {
		if !names[name] {
			t.Errorf("%s is no rule", name)
		}
	}
	if !slices.Contains(tables, "gone_ids") {
		t.Error("tables that are no collections are not looked at")
	}
}
