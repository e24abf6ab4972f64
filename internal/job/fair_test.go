package job

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

// A person, or a host, all of whose jobs hang keeps nobody else's from being done, and has no more jobs running than
// its share.
func TestWhoeverHangsKeepsNobodyElseWaiting(t *testing.T) {
	for what, option := range map[string]func(string) Option{"a user": ForUser, "a host": ToHost} {
		t.Run(what, func(t *testing.T) {
			app := newTestApp(t)
			r := NewRunner(app)
			var mu sync.Mutex
			hanging, most := 0, 0
			goOn, began, told := make(chan struct{}), make(chan struct{}, 300), make(chan string, 100)
			r.Handle("push", func(_ context.Context, _ core.App, j *Job) error {
				var who string
				must(t, j.ReadPayload(&who))
				if who != "mallory" {
					told <- who
					return nil
				}
				mu.Lock()
				hanging++
				most = max(most, hanging)
				mu.Unlock()
				began <- struct{}{}
				<-goOn
				mu.Lock()
				hanging--
				mu.Unlock()
				return nil
			}, Concurrency(4), FairShare(2, 2))
			must(t, app.RunInTransaction(func(tx core.App) error {
				for range 200 { // older, and more than any claim looks at
					must(t, Enqueue(tx, "push", "mallory", option("mallory")))
				}
				for i := range 40 {
					must(t, Enqueue(tx, "push", fmt.Sprint("user", i), option(fmt.Sprint("user", i))))
				}
				return nil
			}))
			startRunner(t, r)
			<-began
			<-began
			for range 40 {
				<-told
			}
			close(goOn)
			for range 198 {
				<-began
			}
			if most != 2 {
				t.Errorf("%d of mallory's were in hand at once, want 2", most)
			}
			must(t, r.Stop(t.Context()))
			r.mu.Lock()
			defer r.mu.Unlock()
			if k := r.kinds["push"]; k.running != 0 || len(k.userQuota.running) != 0 || len(k.hostQuota.running) != 0 {
				t.Errorf("%d are counted as in hand, of %v and to %v", k.running, k.userQuota.running, k.hostQuota.running)
			}
		})
	}
}

func TestAShareIsOfOneKind(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	goOn, mailed := make(chan struct{}), make(chan struct{})
	r.Handle("push", func(context.Context, core.App, *Job) error { <-goOn; return nil }, FairShare(1, 1))
	r.Handle("mail", func(context.Context, core.App, *Job) error { close(mailed); return nil }, FairShare(1, 1))
	must(t, Enqueue(app, "push", nil, ForUser("ada"), ToHost("h")))
	must(t, Enqueue(app, "push", nil, ForUser("ada"), ToHost("h")))
	must(t, Enqueue(app, "mail", nil, ForUser("ada"), ToHost("h")))
	startRunner(t, r)
	<-mailed
	close(goOn)
}

// However many kinds wait for other machines, such as one for each webhook, and for however long: some workers are
// left for our own work.
func TestKindsWithinAGroupLeaveWorkersForOthers(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	goOn, began, done := make(chan struct{}), make(chan struct{}, 100), make(chan struct{})
	for i := range 20 { // twice what the workers could hold
		name := fmt.Sprint("webhook", i)
		r.Handle(name, func(context.Context, core.App, *Job) error { began <- struct{}{}; <-goOn; return nil }, Concurrency(4), WithinGroup("webhooks", 8), WithinGroup("waiting", 10))
		must(t, app.RunInTransaction(func(tx core.App) error {
			for range 4 {
				must(t, Enqueue(tx, name, nil))
			}
			return nil
		}))
	}
	r.Handle("push", func(context.Context, core.App, *Job) error { began <- struct{}{}; <-goOn; return nil }, WithinGroup("waiting", 10))
	for range 4 {
		must(t, Enqueue(app, "push", nil))
	}
	r.Handle("ours", func(context.Context, core.App, *Job) error { done <- struct{}{}; return nil })
	for range 3 {
		must(t, Enqueue(app, "ours", nil))
	}
	startRunner(t, r)
	for range 10 {
		<-began
	}
	for range 3 {
		<-done
	}
	r.mu.Lock()
	if webhooks, waiting := r.groups["webhooks"].running, r.groups["waiting"].running; webhooks != 8 || waiting != 10 {
		t.Errorf("%d webhooks and %d that wait for others are in hand, want 8 and 10", webhooks, waiting)
	}
	r.mu.Unlock()
	close(goOn)
	for range 74 {
		<-began
	}
	must(t, r.Stop(t.Context()))
	r.mu.Lock()
	defer r.mu.Unlock()
	if webhooks, waiting := r.groups["webhooks"].running, r.groups["waiting"].running; webhooks != 0 || waiting != 0 {
		t.Errorf("%d and %d are counted as in hand", webhooks, waiting)
	}
}

// Who waits for a share costs those behind them nothing, however many jobs are waiting: a look takes as many statements, each of one
// range of an index, for twenty thousand as for two hundred.
func TestALookReadsPastNobodysBacklog(t *testing.T) {
	for what, full := range map[string][]Option{
		"a kind": {ForUser("mallory"), ToHost("slow.example")},
		"a host": {ToHost("slow.example")},
		"a user": {ForUser("mallory")},
	} {
		t.Run(what, func(t *testing.T) {
			steps := map[int]int{}
			for _, backlog := range []int{200, 20_000} {
				app := newTestApp(t)
				r := NewRunner(app)
				limit := 10
				if what == "a kind" {
					limit = 2
				}
				nothing := func(context.Context, core.App, *Job) error { return nil }
				r.Handle("push", nothing, Concurrency(limit), FairShare(2, 2))
				r.Handle("mail", nothing)
				must(t, app.RunInTransaction(func(tx core.App) error {
					must(t, Enqueue(tx, "push", "mallory", full...))
					must(t, Enqueue(tx, "push", "mallory", full...))
					return nil
				}))
				held, err := r.removeAndClaim(nil, 2)
				if must(t, err); len(held) != 2 {
					t.Fatalf("%d are in hand", len(held))
				}
				must(t, app.RunInTransaction(func(tx core.App) error {
					must(t, Enqueue(tx, "push", "mallory", full...))
					executeSQL(t, tx, `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {:n}) INSERT INTO jobs (id, kind, payload, state, runAt, attempts, user, host)
						SELECT 'backlog' || i, kind, payload, state, runAt, attempts, user, host FROM jobs, n WHERE state = 'ready'`, dbx.Params{"n": backlog})
					kind := "push"
					if what == "a kind" {
						kind = "mail"
					}
					must(t, Enqueue(tx, kind, "ada", ForUser("ada"), ToHost("quick.example")))
					must(t, Enqueue(tx, kind, "bob", ForUser("bob"), ToHost("other.example")))
					return nil
				}))
				rows := 0
				app.ConcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, statement string, _ *sql.Rows, _ error) {
					if strings.Contains(statement, "LIMIT") {
						steps[backlog]++
					}
				}
				for _, want := range []int{2, 0} {
					wanted, err := r.chooseDue(30, nil)
					must(t, err)
					if len(wanted) != want {
						t.Errorf("%d jobs behind %d are found, want %d", len(wanted), backlog, want)
					}
					jobs, err := r.removeAndClaim(nil, 30)
					must(t, err)
					rows += len(jobs)
				}
				app.ConcurrentDB().(*dbx.DB).QueryLogFunc = nil
				if rows != 2 {
					t.Errorf("%d were begun, want ada's and bob's", rows)
				}
			}
			if steps[200] != steps[20_000] || steps[200] == 0 || steps[200] > 40 {
				t.Errorf("steps by backlog: %v", steps)
			}
		})
	}
}

// Jobs that are due later, each in a lane of its own, cost who looks behind a hundred blocked jobs nothing. Once they are due they are
// found, however many they are.
func TestALookPassesNoLaneOfDelayedJobs(t *testing.T) {
	steps := map[int]int{}
	for _, delayed := range []int{200, 20_000} {
		app := newTestApp(t)
		r := NewRunner(app)
		r.Handle("push", func(context.Context, core.App, *Job) error { return nil }, Concurrency(200), FairShare(2, 2))
		must(t, app.RunInTransaction(func(tx core.App) error {
			for range 102 {
				must(t, Enqueue(tx, "push", nil, ForUser("mallory")))
			}
			return nil
		}))
		held, err := r.removeAndClaim(nil, 2)
		if must(t, err); len(held) != 2 {
			t.Fatalf("%d are in hand", len(held))
		}
		must(t, app.RunInTransaction(func(tx core.App) error {
			must(t, Enqueue(tx, "push", nil, RunAt(clock.Now(app).Add(time.Hour)), ForUser("user0")))
			executeSQL(t, tx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n}) INSERT INTO jobs (id, kind, payload, state, runAt, delayed, attempts, user, host)
				SELECT 'delayed' || i, kind, payload, state, runAt, delayed, attempts, 'user' || i, host FROM jobs, n WHERE user = 'user0'`, dbx.Params{"n": delayed})
			return Enqueue(tx, "push", nil, ForUser("zoe"))
		}))
		app.ConcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, statement string, _ *sql.Rows, _ error) {
			if strings.Contains(statement, "LIMIT") {
				steps[delayed]++
			}
		}
		chosen, err := r.chooseDue(30, nil)
		app.ConcurrentDB().(*dbx.DB).QueryLogFunc = nil
		if must(t, err); len(chosen) != 1 || chosen[0].User != "zoe" {
			t.Errorf("behind %d delayed jobs %v are found, want zoe's", delayed, chosen)
		}
		clock.Advance(app, 2*time.Hour)
		executeSQL(t, app, `UPDATE jobs SET runAt = {:later} WHERE state = 'running'`, dbx.Params{"later": clock.FormatTime(clock.Now(app).Add(time.Hour))})
		for range 3 {
			jobs, err := r.removeAndClaim(nil, 30)
			if must(t, err); len(jobs) != 30 {
				t.Errorf("%d of %d that are due by now are begun", len(jobs), delayed)
			}
		}
	}
	if steps[200] != steps[20_000] || steps[200] == 0 || steps[200] > 10 {
		t.Errorf("steps by delayed jobs: %v", steps)
	}
}
