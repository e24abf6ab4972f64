package job

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

var errOnFire = errors.New("printer on fire")

func TestWhatBecomesOfAJob(t *testing.T) {
	for _, c := range []struct {
		what     string
		handle   Handler
		state    string // "" when the row is gone
		attempts int
		error    string
		min, max time.Duration // the wait until it is due again
	}{
		{"one that succeeds is gone", func(context.Context, core.App, *Job) error { return nil }, "", 0, "", 0, 0},
		{"one that fails is tried again", func(context.Context, core.App, *Job) error { return errOnFire }, "ready", 1, "printer on fire", 500 * time.Millisecond, time.Second},
		{"one that panics is tried again", func(context.Context, core.App, *Job) error { panic("boom") }, "ready", 1, "panic: boom", 500 * time.Millisecond, time.Second},
		{"a snooze spends no attempt", func(context.Context, core.App, *Job) error { return Snooze(time.Minute) }, "ready", 0, "", time.Minute, time.Minute},
		{"a wrapped snooze is a snooze", func(context.Context, core.App, *Job) error { return fmt.Errorf("push: %w", Snooze(time.Minute)) }, "ready", 0, "", time.Minute, time.Minute},
		{"a snooze lasts a second at least", func(context.Context, core.App, *Job) error { return Snooze(-1) }, "ready", 0, "", time.Second, time.Second},
		{"a buried one is dead at once", func(context.Context, core.App, *Job) error { return Bury(errOnFire) }, "dead", 1, "printer on fire", 0, 0},
		{"one is buried without a reason too", func(context.Context, core.App, *Job) error { return Bury(nil) }, "dead", 1, "buried", 0, 0},
		{"long last words are cut", func(context.Context, core.App, *Job) error { return errors.New(strings.Repeat("ü", 1500)) }, "ready", 1, strings.Repeat("ü", 1000), 500 * time.Millisecond, time.Second},
	} {
		t.Run(c.what, func(t *testing.T) {
			app := newTestApp(t)
			r := NewRunner(app)
			var ended time.Time
			r.Handle("print", func(ctx context.Context, app core.App, j *Job) error {
				ended = clock.Now(app)
				return c.handle(ctx, app, j)
			})
			must(t, Enqueue(app, "print", nil))
			expectDrained(t, r, 1)
			if c.state == "" {
				expectCounts(t, app, "print", 0, 0)
				return
			}
			got := onlyJob(t, app)
			if got.State != c.state || got.Attempts != c.attempts || got.Error != c.error || got.Worker != "" {
				t.Errorf("got %+v", got)
			}
			due, err := time.Parse("2006-01-02 15:04:05.000Z", got.RunAt)
			must(t, err)
			if wait := due.Sub(ended); c.max > 0 && (wait < c.min || wait > c.max+5*time.Second) {
				t.Errorf("due again after %v, want %v to %v", wait, c.min, c.max)
			}
		})
	}
}

func TestAJobThatNeverSucceedsIsTriedTenTimesAndThenDead(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	var seen []int
	r.Handle("print", func(_ context.Context, _ core.App, j *Job) error {
		seen = append(seen, j.Attempts)
		return fmt.Errorf("try %d: %w", j.Attempts, errOnFire)
	})
	must(t, Enqueue(app, "print", nil))
	for range 10 {
		expectDrained(t, r, 1)
		expectDrained(t, r, 0)
		clock.Advance(app, time.Hour)
	}
	expectDrained(t, r, 0)
	if got := fmt.Sprint(seen); got != "[1 2 3 4 5 6 7 8 9 10]" {
		t.Errorf("attempts: got %s", got)
	}
	if got := onlyJob(t, app); got.State != "dead" || got.Attempts != 10 || got.Error != "try 10: printer on fire" {
		t.Errorf("got %+v", got)
	}

	executeSQL(t, app, "UPDATE jobs SET state = 'ready'", nil) // what an operator does in the dashboard
	expectDrained(t, r, 1)
	if got := onlyJob(t, app); got.State != "dead" || got.Attempts != 11 || got.Error != "try 11: printer on fire" {
		t.Errorf("tried once more by hand: got %+v", got)
	}
}

func TestTheWaitDoublesFromASecondToAnHour(t *testing.T) {
	for attempts, longest := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 12: 2048 * time.Second, 13: time.Hour, 14: time.Hour, 1000: time.Hour} {
		for range 1000 {
			if got := retryBackoff(attempts); got <= longest/2 || got > longest {
				t.Fatalf("after %d attempts: got %v, want %v, or less by up to half", attempts, got, longest)
			}
		}
	}
}

func TestAWorkerThatLostItsLeaseCannotTouchTheRow(t *testing.T) {
	for what, result := range map[string]error{"by success": nil, "by failure": errOnFire, "by snooze": Snooze(time.Hour), "by burial": Bury(errOnFire)} {
		t.Run(what, func(t *testing.T) {
			app := newTestApp(t)
			slow, other := NewRunner(app), NewRunner(app)
			holds, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			other.Handle("print", func(context.Context, core.App, *Job) error {
				close(holds)
				<-goOn
				return nil
			})
			slow.Handle("print", func(_ context.Context, app core.App, j *Job) error {
				clock.Advance(app, time.Minute)
				go func() {
					defer close(ended)
					other.Drain(context.Background())
				}()
				<-holds
				if err := j.ExtendLease(time.Minute); !errors.Is(err, ErrLeaseLost) {
					t.Errorf("extend: got %v, want %v", err, ErrLeaseLost)
				}
				return result
			})
			must(t, Enqueue(app, "print", nil))
			expectDrained(t, slow, 1)
			if got := onlyJob(t, app); got.State != "running" || got.Attempts != 2 || got.Worker != other.name {
				t.Errorf("the slow worker changed the row: %+v", got)
			}
			close(goOn)
			<-ended
			expectCounts(t, app, "print", 0, 0)
		})
	}
}

func TestARunnerKnowsItsOwnEarlierClaimFromTheOneItHas(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("print", func(context.Context, core.App, *Job) error { return nil })
	must(t, Enqueue(app, "print", nil))
	first, err := r.claimOne()
	must(t, err)
	clock.Advance(app, time.Minute)
	second, err := r.claimOne()
	must(t, err)
	if err := first.deleteRow(); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("first claim: got %v, want %v", err, ErrLeaseLost)
	}
	must(t, second.deleteRow())
}

func TestTheLeaseIsExtendedWhileAHandlerRuns(t *testing.T) {
	app := newTestApp(t)
	r, other := NewRunner(app), NewRunner(app)
	r.Handle("video", func(ctx context.Context, app core.App, j *Job) error {
		clock.Advance(app, time.Hour) // the lease has run out, and nobody looked
		for claimed := onlyJob(t, app).RunAt; onlyJob(t, app).RunAt == claimed; {
			runtime.Gosched()
		}
		ran, err := other.Drain(ctx)
		if ran != 0 || err != nil {
			t.Errorf("another runner took the job: %d, %v", ran, err)
		}
		return nil
	}, LeaseDuration(300*time.Millisecond))
	other.Handle("video", func(context.Context, core.App, *Job) error { return nil })
	must(t, Enqueue(app, "video", nil))
	expectDrained(t, r, 1)
	expectCounts(t, app, "video", 0, 0)
}

func TestAClaimThatHadToWaitStillGivesAWholeLease(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("print", func(_ context.Context, app core.App, j *Job) error {
		if got, want := onlyJob(t, app).RunAt, clock.FormatTime(clock.Now(app).Add(20*time.Second)); got < want {
			t.Errorf("lease until %s, want %s or later", got, want)
		}
		return nil
	})
	must(t, Enqueue(app, "print", nil))
	onClaimQuery(app, func() { clock.Advance(app, 29*time.Second) })
	expectDrained(t, r, 1)
	expectCounts(t, app, "print", 0, 0)
}

func TestAJobThatEndsWithItsDrainIsGivenBack(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	ctx, cancel := context.WithCancel(context.Background())
	r.Handle("print", func(ctx context.Context, _ core.App, _ *Job) error {
		cancel()
		return ctx.Err()
	})
	must(t, Enqueue(app, "print", nil))
	if ran, err := r.Drain(ctx); ran != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", ran, err)
	}
	if got := onlyJob(t, app); got.State != "ready" || got.Attempts != 0 || got.Worker != "" {
		t.Errorf("got %+v", got)
	}
}

func TestALostLeaseEndsTheContextOfItsHandler(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("video", func(ctx context.Context, app core.App, j *Job) error {
		executeSQL(t, app, "UPDATE jobs SET state = 'dead' WHERE id = {:id}", dbx.Params{"id": j.ID}) // an operator stops it
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, ErrLeaseLost) {
			t.Errorf("got cause %v, want %v", cause, ErrLeaseLost)
		}
		return ctx.Err()
	}, LeaseDuration(30*time.Millisecond))
	must(t, Enqueue(app, "video", nil))
	expectDrained(t, r, 1)
	expectCounts(t, app, "video", 0, 1)
}

func TestExtendNeverShortensALease(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("video", func(_ context.Context, app core.App, j *Job) error {
		must(t, j.ExtendLease(time.Hour))
		long := onlyJob(t, app).RunAt
		must(t, j.ExtendLease(time.Second))
		if got := onlyJob(t, app).RunAt; got != long || got < clock.FormatTime(clock.Now(app).Add(59*time.Minute)) {
			t.Errorf("lease until %s, want %s", got, long)
		}
		return nil
	})
	must(t, Enqueue(app, "video", nil))
	expectDrained(t, r, 1)
}

func TestAJobThatKillsItsWorkerEachTimeIsDeadAfterItsAttempts(t *testing.T) {
	app := newTestApp(t)
	r := NewRunner(app)
	r.Handle("bomb", func(context.Context, core.App, *Job) error {
		t.Error("it ran once more")
		return nil
	}, MaxAttempts(3))
	must(t, Enqueue(app, "bomb", nil))
	for range 3 {
		j, err := r.claimOne() // and then nothing more, as of a worker that died
		must(t, err)
		r.releaseJob(j)
		expectDrained(t, r, 0)
		clock.Advance(app, time.Minute)
	}
	expectDrained(t, r, 1)
	if got := onlyJob(t, app); got.State != "dead" || got.Error != "gave up: "+lapsedReason {
		t.Errorf("got %+v", got)
	}
}
