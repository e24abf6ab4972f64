package db

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// StatementLimit bounds how long each statement that runs with its context may take. The wait for a connection does not count: on a busy
// machine it may be long, and it says nothing about the question.
type StatementLimit struct {
	maxTime  time.Duration
	wasEnded atomic.Bool
}

type limitKey struct{}

// LimitStatements returns a context whose statements that read are interrupted when each of them takes longer than each.
func LimitStatements(ctx context.Context, each time.Duration) (context.Context, *StatementLimit) {
	limit := &StatementLimit{maxTime: each}
	return context.WithValue(ctx, limitKey{}, limit), limit
}

// WasInterrupted tells whether a statement was interrupted. Who reads rows by dbx has to ask: it takes rows that were cut short for all.
func (l *StatementLimit) WasInterrupted() bool {
	return l.wasEnded.Load()
}

// interruptInterval is how soon a statement is interrupted once more: one that is about to begin forgets that it was.
const interruptInterval = 10 * time.Millisecond

// interruptWhenDone interrupts what runs on the connection when ctx is done or its [Limit] is over, and no longer once stop has
// returned: by then another statement may run. The driver heeds a context only until the first row, and database/sql only between
// rows, so that a question that looks for its second row for minutes could not be stopped. A context that is never done and has
// no limit costs nothing, and stop is nil.
func (c *conn) interruptWhenDone(ctx context.Context) (stop func()) {
	limit, _ := ctx.Value(limitKey{}).(*StatementLimit)
	if limit == nil && ctx.Done() == nil {
		return nil
	}
	var mu sync.Mutex
	stopped := false
	forget := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			c.interruptStatement()
		}
	})
	var timer *time.Timer
	if limit != nil {
		mu.Lock() // so that the timer is there before it fires
		timer = time.AfterFunc(limit.maxTime, func() {
			mu.Lock()
			defer mu.Unlock()
			if !stopped {
				limit.wasEnded.Store(true)
				c.interruptStatement()
				timer.Reset(interruptInterval)
			}
		})
		mu.Unlock()
	}
	return func() {
		forget()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if timer != nil {
			timer.Stop()
		}
	}
}
