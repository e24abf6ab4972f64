package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	code := m.Run()
	if dir, err := template(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func TestAJobOfATransactionThatRollsBackDoesNotExist(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	err := app.RunInTransaction(func(tx core.App) error {
		must(t, Enqueue(tx, "mail", nil))
		return errors.New("disk on fire")
	})
	if err == nil {
		t.Fatal("the transaction went through")
	}
	if got := len(jobRows(t, app)); got != 0 {
		t.Errorf("got %d jobs, want 0", got)
	}
	if len(r.wakeSignal) != 0 {
		t.Error("the runner was woken for a job that does not exist")
	}
}

func TestAJobWakesTheRunnerWhenItCanBeSeen(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	must(t, app.RunInTransaction(func(tx core.App) error {
		must(t, Enqueue(tx, "mail", nil))
		if len(r.wakeSignal) != 0 {
			t.Error("woken before the commit")
		}
		return nil
	}))
	if len(r.wakeSignal) != 1 {
		t.Fatal("not woken by the commit")
	}
	<-r.wakeSignal
	must(t, Enqueue(app, "mail", nil))
	if len(r.wakeSignal) != 1 {
		t.Error("not woken by a job without transaction")
	}
}

func TestTwoAppsInOneProcessDoNotWakeEachOther(t *testing.T) {
	ours, theirs := newTestApp(t), newTestApp(t)
	mine, other := NewRunner(ours), NewRunner(theirs)
	must(t, ours.RunInTransaction(func(tx core.App) error { return Enqueue(tx, "mail", nil) }))
	if len(mine.wakeSignal) != 1 || len(other.wakeSignal) != 0 {
		t.Errorf("got %d and %d wakes, want 1 and 0", len(mine.wakeSignal), len(other.wakeSignal))
	}
}

func TestAPayloadArrivesAsItWasGiven(t *testing.T) {
	type letter struct {
		To   string
		Tags []string
	}
	app := newTestApp(t)
	r := NewRunner(app)
	var got letter
	var wrong error
	r.Handle("mail", func(_ context.Context, _ core.App, j *Job) error {
		wrong = j.ReadPayload(new(int))
		return j.ReadPayload(&got)
	})
	must(t, Enqueue(app, "mail", letter{"ada <ada@example.com>", []string{"ünï", `"quoted"`}}))
	expectDrained(t, r, 1)
	if got.To != "ada <ada@example.com>" || len(got.Tags) != 2 || got.Tags[0] != "ünï" || got.Tags[1] != `"quoted"` {
		t.Errorf("got %+v", got)
	}
	if wrong == nil || !strings.Contains(wrong.Error(), "read payload of mail job") {
		t.Errorf("a payload of another shape: got error %v", wrong)
	}
}

// What cannot be read now cannot be read later: no handler has to know that.
func TestAPayloadThatCannotBeReadBuriesItsJob(t *testing.T) {
	for what, payload := range map[string]string{"of another shape": `{"a": [1]}`, "no JSON": "{"} {
		t.Run(what, func(t *testing.T) {
			app := newTestApp(t)
			r := NewRunner(app)
			r.Handle("mail", func(_ context.Context, _ core.App, j *Job) error {
				if err := j.ReadPayload(new([]int)); err != nil {
					return fmt.Errorf("mail: %w", err)
				}
				return nil
			})
			must(t, Enqueue(app, "mail", nil))
			executeSQL(t, app, "UPDATE jobs SET payload = {:payload}", db.Params{"payload": payload})
			expectDrained(t, r, 1)
			if got := onlyJob(t, app); got.State != "dead" || got.Attempts != 1 || !strings.Contains(got.Error, "read payload of mail job") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAJobWithoutPayloadRunsToo(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("mail", func(_ context.Context, _ core.App, j *Job) error { return j.ReadPayload(new(map[string]string)) })
	must(t, Enqueue(app, "mail", nil))
	must(t, Enqueue(app, "mail", nil))
	executeSQL(t, app, "UPDATE jobs SET payload = NULL WHERE rowid = 1", nil) // as a trigger may insert it
	expectDrained(t, r, 2)
	expectCounts(t, app, "mail", 0, 0)
}

func TestAKeyHoldsOnlyWhileItsJobWaitsOrRuns(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("digest", func(_ context.Context, app core.App, j *Job) error {
		return Enqueue(app, "digest", nil, Dedupe("2026-W47")) // while it runs
	})
	for range 3 {
		must(t, Enqueue(app, "digest", nil, Dedupe("2026-W47")))
	}
	must(t, Enqueue(app, "digest", nil, Dedupe("2026-W48"), RunAt(clock.Now(app).Add(time.Hour))))
	must(t, Enqueue(app, "report", nil, Dedupe("2026-W47")))
	must(t, Enqueue(app, "report", nil))
	must(t, Enqueue(app, "report", nil))
	expectCounts(t, app, "digest", 2, 0)
	expectCounts(t, app, "report", 3, 0)
	expectDrained(t, r, 1)
	must(t, Enqueue(app, "digest", nil, Dedupe("2026-W47")))
	expectCounts(t, app, "digest", 2, 0)
}

func TestAJobForLaterWaitsForItsTime(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("reminder", func(context.Context, core.App, *Job) error { return nil })
	must(t, Enqueue(app, "reminder", nil, RunAt(clock.Now(app).Add(time.Hour))))
	expectDrained(t, r, 0)
	clock.Advance(app, time.Hour)
	expectDrained(t, r, 1)
}

func TestAJobThatCannotBeStoredIsAnError(t *testing.T) {
	app := newTestApp(t)
	if err := Enqueue(app, "", nil); err == nil {
		t.Error("no kind: no error")
	}
	if err := Enqueue(app, "mail", make(chan int)); err == nil {
		t.Error("a payload that is no JSON: no error")
	}
	if _, err := app.NonconcurrentDB().NewQuery("DROP TABLE jobs").Execute(); err != nil {
		t.Fatal(err)
	}
	if err := Enqueue(app, "mail", nil); err == nil || !strings.HasPrefix(err.Error(), "add mail job: ") {
		t.Errorf("no table: got error %v", err)
	}
}

// template returns a migrated data folder with the jobs collection. It is made once and copied for each test.
var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jobs")
	if err != nil {
		return "", err
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return "", err
	}
	if err := app.RunAllMigrations(); err != nil {
		return "", err
	}
	jobs := core.NewBaseCollection("jobs")
	jobs.Fields.Add(
		&core.TextField{Name: "kind"}, &core.JSONField{Name: "payload"}, &core.TextField{Name: "state"},
		&core.DateField{Name: "runAt"}, &core.BoolField{Name: "delayed"}, &core.NumberField{Name: "attempts"}, &core.TextField{Name: "worker"},
		&core.TextField{Name: "dedupe"}, &core.TextField{Name: "user"}, &core.TextField{Name: "host"}, &core.TextField{Name: "error", Max: 1000},
		&core.AutodateField{Name: "created", OnCreate: true}, &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	jobs.Indexes = []string{
		"CREATE INDEX idx_jobs_due ON jobs (runAt) WHERE state IN ('ready','running')",
		"CREATE INDEX idx_jobs_lane ON jobs (kind, host, user, runAt) WHERE state IN ('ready','running') AND delayed = 0",
		"CREATE INDEX idx_jobs_delayed ON jobs (runAt) WHERE state IN ('ready','running') AND delayed = 1",
		"CREATE UNIQUE INDEX idx_jobs_dedupe ON jobs (kind, dedupe) WHERE dedupe != '' AND state IN ('ready','running')",
	}
	if err := app.Save(jobs); err != nil {
		return "", err
	}
	return dir, app.ClearBootstrap()
})

func newTestApp(t testing.TB) *core.BaseApp {
	t.Helper()
	from, err := template()
	must(t, err)
	dir := filepath.Join(t.TempDir(), "data")
	must(t, os.CopyFS(dir, os.DirFS(from)))
	return openTestApp(t, dir)
}

func openTestApp(t testing.TB, dir string) *core.BaseApp {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	must(t, app.Bootstrap())
	t.Cleanup(func() { app.ClearBootstrap() })
	return app
}

type jobRow struct {
	ID, Kind, State, Worker, Error string
	Attempts                       int
	RunAt                          string `db:"runAt"`
}

func jobRows(t testing.TB, app core.App) []jobRow {
	t.Helper()
	var all []jobRow
	must(t, app.ConcurrentDB().Select("id", "kind", "state", "worker", "error", "attempts", "runAt").From("jobs").OrderBy("rowid").All(&all))
	return all
}

// onlyJob returns the only job that there is, and fails if there is not exactly one.
func onlyJob(t testing.TB, app core.App) jobRow {
	t.Helper()
	all := jobRows(t, app)
	if len(all) != 1 {
		t.Fatalf("got %d jobs, want 1", len(all))
	}
	return all[0]
}

func expectCounts(t testing.TB, app core.App, kind string, ready, dead int) {
	t.Helper()
	all, err := CountByState(app)
	must(t, err)
	if got := all[kind]; got["ready"] != ready || got["dead"] != dead || got["running"] != 0 {
		t.Errorf("jobs of kind %s: got %v, want %d ready, %d dead", kind, got, ready, dead)
	}
}

func expectDrained(t testing.TB, r *Runner, want int) {
	t.Helper()
	ran, err := r.Drain(context.Background())
	must(t, err)
	if ran != want {
		t.Errorf("ran %d jobs, want %d", ran, want)
	}
}

func executeSQL(t testing.TB, app core.App, sql string, params dbx.Params) {
	t.Helper()
	_, err := app.NonconcurrentDB().NewQuery(sql).Bind(params).Execute()
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
