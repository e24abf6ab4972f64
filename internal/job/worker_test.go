package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

func doNothing(context.Context, core.App, *Job) error { return nil }

// startRunner starts r and stops it with the test. It polls too rarely to hide a lost wake.
func startRunner(t testing.TB, r *Runner) {
	t.Helper()
	r.pollInterval = time.Hour
	r.Start()
	t.Cleanup(func() { must(t, r.Stop(context.Background())) })
}

func TestACommitStartsItsJobAtOnce(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	started := make(chan time.Time)
	r.Handle("push", func(context.Context, core.App, *Job) error {
		started <- time.Now()
		return nil
	})
	startRunner(t, r)
	var waits []time.Duration
	for range 100 {
		must(t, app.RunInTransaction(func(tx core.App) error { return Enqueue(tx, "push", nil) }))
		committed := time.Now()
		waits = append(waits, (<-started).Sub(committed))
	}
	slices.Sort(waits)
	t.Logf("commit to start: p50 %v, p95 %v", waits[50], waits[95])
}

func TestOneWakeIsEnoughForAllWorkers(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	var together sync.WaitGroup
	together.Add(r.workers)
	done := make(chan struct{}, r.workers)
	r.Handle("push", func(context.Context, core.App, *Job) error {
		together.Done()
		together.Wait()
		done <- struct{}{}
		return nil
	}, Concurrency(r.workers))
	looked := make(chan struct{}, 100)
	onDueQuery(app, func() { looked <- struct{}{} })
	startRunner(t, r)
	<-looked
	app.Store().Remove(storeKey) // so that nothing but this test wakes it
	for range r.workers {
		must(t, Enqueue(app, "push", nil))
	}
	r.Wake()
	for range r.workers {
		<-done
	}
}

func TestJobsOfAnotherProcessAreFoundWithinASecond(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	started := make(chan struct{})
	r.Handle("push", func(context.Context, core.App, *Job) error {
		close(started)
		return nil
	})
	looked := make(chan struct{}, 100)
	onDueQuery(app, func() { looked <- struct{}{} })
	r.Start()
	<-looked
	app.Store().Remove(storeKey) // so that nothing wakes it
	must(t, Enqueue(app, "push", nil))
	<-started
	must(t, r.Stop(context.Background()))
}

func TestOldJobsComeFirstAndTheJobsTheyAddComeToo(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	var order []string
	r.Handle("step", func(_ context.Context, app core.App, j *Job) error {
		var name string
		must(t, j.ReadPayload(&name))
		order = append(order, name)
		if name == "c" {
			return Enqueue(app, "step", "d")
		}
		return nil
	})
	now := clock.Now(app)
	must(t, Enqueue(app, "step", "b", RunAt(now.Add(-time.Minute))))
	must(t, Enqueue(app, "step", "c", RunAt(now.Add(-time.Second))))
	must(t, Enqueue(app, "step", "a", RunAt(now.Add(-time.Hour))))
	expectDrained(t, r, 4)
	if got := strings.Join(order, ""); got != "abcd" {
		t.Errorf("got order %s, want abcd", got)
	}
}

func TestKindsWithoutAHandlerAreLeftAlone(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	expectDrained(t, r, 0)
	r.Handle("known", doNothing)
	for range 3 {
		must(t, Enqueue(app, "unknown", nil))
	}
	must(t, Enqueue(app, "known", nil))
	before := jobRows(t, app)[:3]
	expectDrained(t, r, 1)
	if got := jobRows(t, app); !slices.Equal(got, before) {
		t.Errorf("got %+v, want %+v", got, before)
	}
}

func TestAKindHasNoTwoHandlers(t *testing.T) {
	r := NewRunner(newTestApp(t))
	r.Handle("mail", doNothing)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	r.Handle("mail", doNothing)
}

func TestASlowKindLeavesRoomForOthers(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	var mu sync.Mutex
	running, most := 0, 0
	goOn, pushed, hooked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	began := make(chan struct{}, 100)
	r.Handle("webhook", func(context.Context, core.App, *Job) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		began <- struct{}{}
		<-goOn
		mu.Lock()
		running--
		mu.Unlock()
		hooked <- struct{}{}
		return nil
	}, Concurrency(2))
	r.Handle("push", func(context.Context, core.App, *Job) error {
		pushed <- struct{}{}
		return nil
	})
	for range 100 { // more than a claim looks at
		must(t, Enqueue(app, "webhook", nil))
	}
	must(t, Enqueue(app, "push", nil))
	startRunner(t, r)
	<-pushed
	<-began
	<-began
	close(goOn)
	for range 100 {
		<-hooked
	}
	if most != 2 {
		t.Errorf("got %d webhooks at once, want 2", most)
	}
}

func TestStopWaitsForWhatBeganAndLetsNothingElseBegin(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.workers = 1
	began, goOn := make(chan struct{}), make(chan struct{})
	r.Handle("mail", func(context.Context, core.App, *Job) error {
		close(began) // a second one would panic
		<-goOn
		return nil
	})
	must(t, Enqueue(app, "mail", nil))
	must(t, Enqueue(app, "mail", nil))
	r.Start()
	<-began
	ended := make(chan error)
	go func() { ended <- r.Stop(context.Background()) }()
	<-r.stopped
	select {
	case <-ended:
		t.Error("Stop did not wait")
	default:
	}
	close(goOn)
	must(t, <-ended)
	if got := onlyJob(t, app); got.State != "ready" || got.Attempts != 0 {
		t.Errorf("the job that had not begun: got %+v", got)
	}
	must(t, r.Stop(context.Background()))
}

func TestAJobClaimedWhileStoppingIsGivenBack(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("mail", func(context.Context, core.App, *Job) error {
		t.Error("it ran")
		return nil
	})
	must(t, Enqueue(app, "mail", nil))
	claimed, goOn := make(chan struct{}), make(chan struct{})
	onClaimQuery(app, sync.OnceFunc(func() {
		close(claimed)
		<-goOn
	}))
	r.Start()
	<-claimed
	ended := make(chan error)
	go func() { ended <- r.Stop(context.Background()) }()
	<-r.stopped
	close(goOn)
	must(t, <-ended)
	if got := onlyJob(t, app); got.State != "ready" || got.Attempts != 0 || got.Worker != "" || got.RunAt > clock.Timestamp(app) {
		t.Errorf("got %+v", got)
	}
}

func TestWhenTheTimeForStoppingIsOver(t *testing.T) {
	for _, c := range []struct {
		what  string
		stops bool
		err   error
		state string
	}{
		{"a job that heeds its context is given back", true, nil, "ready"},
		{"a job that does not is told of", false, context.Canceled, "running"},
	} {
		t.Run(c.what, func(t *testing.T) {
			app := newTestApp(t)
			r := NewRunner(app)
			began, goOn := make(chan struct{}), make(chan struct{})
			r.Handle("mail", func(ctx context.Context, _ core.App, _ *Job) error {
				close(began)
				if !c.stops {
					<-goOn
				}
				<-ctx.Done()
				return fmt.Errorf("send: %w", ctx.Err())
			})
			must(t, Enqueue(app, "mail", nil))
			r.Start()
			<-began
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := r.Stop(ctx); !errors.Is(err, c.err) {
				t.Errorf("got error %v, want %v", err, c.err)
			}
			if got := onlyJob(t, app); got.State != c.state || c.stops && got.Attempts != 0 {
				t.Errorf("got %+v", got)
			}
			close(goOn)
			must(t, r.Stop(context.Background()))
		})
	}
}

// The statement would never end by itself.
func TestAStatementEndsWithItsJob(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	began := make(chan struct{})
	r.Handle("mail", func(_ context.Context, app core.App, _ *Job) error {
		close(began)
		return app.RunInTransaction(func(tx core.App) error {
			var n int
			_, err := db.QueryValue(tx, &n, `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers WHERE n < 0`, nil)
			return err
		})
	})
	must(t, Enqueue(app, "mail", nil))
	r.Start()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, r.Stop(ctx))
	if got := onlyJob(t, app); got.State != "ready" || got.Attempts != 0 {
		t.Errorf("got %+v, want a job that was given back", got)
	}
}

func TestADatabaseThatFailsIsToldOnceAndTriedAgain(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	done := make(chan struct{})
	r.Handle("mail", func(context.Context, core.App, *Job) error {
		close(done)
		return nil
	})
	failed := make(chan struct{}, 100)
	onDueQuery(app, func() { failed <- struct{}{} })
	executeSQL(t, app, "ALTER TABLE jobs RENAME TO lost", nil)
	startRunner(t, r)
	for range 4 {
		<-failed
		r.Wake()
	}
	executeSQL(t, app, "ALTER TABLE lost RENAME TO jobs", nil)
	must(t, Enqueue(app, "mail", nil))
	<-done
	if got := countLogged(t, app, "cannot claim jobs"); got != 1 {
		t.Errorf("logged %d times, want once", got)
	}
	if got := countLogged(t, app, "claims jobs again"); got != 1 {
		t.Errorf("told %d times that it works again, want once", got)
	}
}

func TestAnEndThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.pollInterval = time.Millisecond
	ran := 0
	r.Handle("mail", func(_ context.Context, app core.App, _ *Job) error {
		ran++
		executeSQL(t, app, "CREATE TRIGGER full BEFORE DELETE ON jobs BEGIN SELECT raise(ABORT, 'database or disk is full'); END", nil)
		go func() {
			for countLogged(t, app, "job ended unwritten") == 0 {
				runtime.Gosched()
			}
			executeSQL(t, app, "DROP TRIGGER full", nil)
		}()
		return nil
	})
	must(t, Enqueue(app, "mail", nil))
	expectDrained(t, r, 1)
	expectCounts(t, app, "mail", 0, 0)
	if got := countLogged(t, app, "job ended unwritten"); ran != 1 || got != 1 {
		t.Errorf("ran %d times, logged %d times, want once each", ran, got)
	}
}

func TestARunnerOutlivesARestartOfItsDatabase(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("mail", doNothing)
	must(t, app.ClearBootstrap())
	if _, err := r.Drain(context.Background()); err == nil || err.Error() != "claim jobs: the database is closed" {
		t.Errorf("closed: got error %v", err)
	}
	must(t, app.Bootstrap())
	must(t, Enqueue(app, "mail", nil))
	expectDrained(t, r, 1)
}

func TestAClaimReadsTheIndexAndSortsNothing(t *testing.T) {
	app := newTestApp(t)
	must(t, app.RunInTransaction(func(tx core.App) error {
		for i := range 2000 {
			must(t, Enqueue(tx, fmt.Sprint("kind", i%7), nil, Dedupe(fmt.Sprint(i))))
		}
		return nil
	}))
	for _, statistics := range []bool{false, true} {
		if statistics {
			executeSQL(t, app, "ANALYZE", nil)
		}
		planned := func(statement string) string {
			var steps []struct{ Detail string }
			must(t, app.NonconcurrentDB().NewQuery("EXPLAIN QUERY PLAN "+statement).Bind(dbx.Params{
				"worker": "w", "now": clock.Timestamp(app), "lapsed": lapsedReason, "n": 16, "kind": "kind1", "host": "", "user": "",
				"leases": `{"kind1":"2030-01-01 00:00:00.000Z"}`, "ids": `["a","b"]`, "done": `{"a":1}`,
			}).All(&steps))
			return fmt.Sprint(steps)
		}
		for statement, search := range map[string]string{
			dueQuery: "idx_jobs_due (runAt<?)", nextLane: "idx_jobs_lane ((kind,host,user)>(?,?,?))", lookInLane: "idx_jobs_lane (kind=? AND host=? AND user=? AND runAt<?)",
			findDelayed: "idx_jobs_delayed (runAt<?)",
		} {
			if plan := planned(statement); !strings.Contains(plan, "INDEX "+search) || !strings.Contains(plan, "SEARCH jobs") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("statistics %v: got plan %s", statistics, plan)
			}
		}
		for _, statement := range []string{claimQuery, removeQuery} {
			if plan := planned(statement); !strings.Contains(plan, "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)") {
				t.Errorf("statistics %v: got plan %s", statistics, plan)
			}
		}
	}
}

// onClaimQuery has fn called while a claim is under way, after its statement began.
func onClaimQuery(app core.App, fn func()) {
	app.NonconcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, statement string, _ *sql.Rows, _ error) {
		if strings.Contains(statement, "RETURNING") {
			fn()
		}
	}
}

// onDueQuery has fn called when the runner has looked for due jobs, outside of any transaction.
func onDueQuery(app core.App, fn func()) {
	app.ConcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, statement string, _ *sql.Rows, _ error) {
		if strings.Contains(statement, "ORDER BY runAt") {
			fn()
		}
	}
}

// countLogged counts the log rows with this message, after those in memory were written.
func countLogged(t *testing.T, app core.App, message string) int {
	t.Helper()
	type flusher interface{ WriteAll(context.Context) error }
	must(t, app.Logger().Handler().(flusher).WriteAll(context.WithValue(context.Background(), logger.BlockKey, true)))
	var n int
	must(t, app.AuxConcurrentDB().NewQuery("SELECT count(*) FROM _logs WHERE message = {:message}").Bind(dbx.Params{"message": message}).Row(&n))
	return n
}

// BenchmarkFiveThousand measures how long 5,000 jobs that do nothing take. We promise at most a second.
func BenchmarkFiveThousand(b *testing.B) {
	for _, how := range []string{"drained", "served"} {
		b.Run(how, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				app := newTestApp(b)
				r := NewRunner(app)
				var left sync.WaitGroup
				left.Add(5000)
				r.Handle("noop", func(context.Context, core.App, *Job) error {
					left.Done()
					return nil
				})
				must(b, app.RunInTransaction(func(tx core.App) error {
					for range 5000 {
						must(b, Enqueue(tx, "noop", nil))
					}
					return nil
				}))
				b.StartTimer()
				if how == "drained" {
					expectDrained(b, r, 5000)
					continue
				}
				r.Start()
				left.Wait()
				must(b, r.Stop(context.Background()))
			}
		})
	}
}

// BenchmarkCommitToStart measures how long a job waits for its start. We promise at most 5 ms in the median.
func BenchmarkCommitToStart(b *testing.B) {
	app := newTestApp(b)
	r := NewRunner(app)
	started := make(chan time.Time)
	r.Handle("push", func(context.Context, core.App, *Job) error {
		started <- time.Now()
		return nil
	})
	startRunner(b, r)
	var waits []time.Duration
	for b.Loop() {
		must(b, app.RunInTransaction(func(tx core.App) error { return Enqueue(tx, "push", nil) }))
		committed := time.Now()
		waits = append(waits, (<-started).Sub(committed))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkIdle measures how much of a core an idle runner takes. We promise at most 0.2 %.
func BenchmarkIdle(b *testing.B) {
	app := newTestApp(b)
	r := NewRunner(app)
	r.Handle("push", doNothing)
	must(b, app.RunInTransaction(func(tx core.App) error {
		for range 1000 {
			must(b, Enqueue(tx, "push", nil, RunAt(clock.Now(app).Add(time.Hour))))
		}
		return nil
	}))
	const speed = 100 // this many times as many looks in a second
	r.pollInterval = time.Second / speed
	looks := make(chan struct{}, 1)
	onDueQuery(app, func() { looks <- struct{}{} })
	r.Start()
	<-looks
	before := processorTime(b)
	n := 0
	for b.Loop() {
		<-looks
		n++
	}
	used := processorTime(b) - before
	must(b, r.Stop(context.Background()))
	b.ReportMetric(100*used.Seconds()/float64(n), "%cpu")
}

// processorTime returns the processor time that this process has taken.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
