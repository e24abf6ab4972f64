package db

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// StatementLimit limits how long each statement that runs with its context may take. Waiting for a connection does not
// count: on a busy machine that may take long, and it says nothing about the statement.
type StatementLimit struct {
	maxTime  time.Duration
	wasEnded atomic.Bool
}

type limitKey struct{}

// LimitStatements returns a context in which each statement that reads is interrupted when it takes longer than each.
func LimitStatements(ctx context.Context, each time.Duration) (context.Context, *StatementLimit) {
	limit := &StatementLimit{maxTime: each}
	return context.WithValue(ctx, limitKey{}, limit), limit
}

// WasInterrupted reports whether a statement was interrupted. Callers that read rows by dbx have to ask: dbx takes
// rows that were cut short for all rows.
func (l *StatementLimit) WasInterrupted() bool {
	return l.wasEnded.Load()
}

// interruptInterval is how soon a statement is interrupted once more: a statement that is about to begin forgets an
// interrupt.
const interruptInterval = 10 * time.Millisecond

var errStatementLimit = errors.New("the statement takes too long")

// interruptWhenDone interrupts what runs on the connection, again and again, once ctx is done or its [StatementLimit]
// is over. Once stop has returned it interrupts no more: by then another statement may run. By itself the driver obeys
// a context only until the first row, and database/sql only between rows, so that a statement that searches minutes for
// its second row could not be stopped. A context that is never done and has no limit costs nothing, and then stop is
// nil.
func (c *conn) interruptWhenDone(ctx context.Context) (stop func()) {
	limit, _ := ctx.Value(limitKey{}).(*StatementLimit)
	if limit == nil && ctx.Done() == nil {
		return nil
	}
	cancel := func() {}
	if limit != nil {
		ctx, cancel = context.WithTimeoutCause(ctx, limit.maxTime, errStatementLimit)
	}
	var (
		mu      sync.Mutex
		stopped bool
		again   *time.Timer
	)
	var interrupt func()
	interrupt = func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		if limit != nil && errors.Is(context.Cause(ctx), errStatementLimit) {
			limit.wasEnded.Store(true)
		}
		c.interruptStatement()
		again = time.AfterFunc(interruptInterval, interrupt)
	}
	forget := context.AfterFunc(ctx, interrupt)
	return func() {
		forget()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if again != nil {
			again.Stop()
		}
	}
}
