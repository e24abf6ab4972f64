package db

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// OnTransactionEnded has fn called, on another goroutine, when the transaction of tx is ended for holding the writer
// too long.
func OnTransactionEnded(tx core.App, fn func()) {
	transaction, ok := executorOf(tx, false).(*sql.Tx)
	if !ok {
		return
	}
	var h *hold
	if _, err := transaction.ExecContext(context.WithValue(context.Background(), holdKey{}, func(c *conn) { h = c.hold }), holdQuery); err == nil && h != nil {
		h.onEnded.Store(&fn)
	}
}

// TransactionBegan returns when the transaction of tx began. Without LimitWriter it returns the time of the call.
func TransactionBegan(tx core.App) time.Time {
	began := time.Now()
	if transaction, ok := executorOf(tx, false).(*sql.Tx); ok {
		_, _ = transaction.ExecContext(context.WithValue(context.Background(), holdKey{}, func(c *conn) {
			if c.hold != nil {
				began = c.hold.began
			}
		}), holdQuery) // it fails where the transaction is over, as its next statement will
	}
	return began
}

// hold is one transaction's time with the connection that writes.
type hold struct {
	limits    *TransactionLimits
	began     time.Time
	state     atomic.Int32  // holdRunning, holdOver or holdEnded
	held      time.Duration // set when it is finished
	finished  chan struct{}
	warned    chan struct{} // closed when nobody waits for it any more
	onEnded   atomic.Pointer[func()]
	interrupt func()
	changes   int64 // the connection's totalChanges when the transaction began, if OnCommit is set
}

const (
	holdRunning = iota
	holdOver
	holdEnded
)

// warningTimeout is how long the end of a transaction that took too long waits for its warning.
const warningTimeout = 10 * time.Millisecond

// holdQuery reaches the connection of a transaction, which database/sql hides: it makes the connection call the
// func(*conn) of the context.
const holdQuery = "-- hold"

type holdKey struct{}

// watchedBuilder returns dbx's builder for SQLite. dbx makes one for each transaction, right after that began.
func watchedBuilder(db *dbx.DB, e dbx.Executor) dbx.Builder {
	if transaction, ok := e.(*sql.Tx); ok {
		pool := db.DB().Driver().(*poolState)
		if limits := pool.limits.Load(); limits != nil {
			pool.watchTransaction(db.DB(), transaction, limits)
		}
	}
	return dbx.NewSqliteBuilder(db, e)
}

func init() { dbx.BuilderFuncMap[driverName] = watchedBuilder }

// driverName is dbx's name for the databases that Open opens.
const driverName = "sqlite-watched"

func (p *poolState) watchTransaction(db *sql.DB, transaction *sql.Tx, limits *TransactionLimits) {
	h := &hold{limits: limits, began: time.Now(), finished: make(chan struct{}), warned: make(chan struct{})}
	attach := context.WithValue(context.Background(), holdKey{}, func(c *conn) {
		if c.hold == nil { // else this transaction is watched already
			c.hold, h.interrupt = h, c.interruptStatement
			if limits.OnCommit != nil {
				h.changes = c.totalChanges()
			}
		}
	})
	if _, err := transaction.ExecContext(attach, holdQuery); err != nil || h.interrupt == nil {
		return // its first statement will fail, too
	}
	go p.awaitTransaction(db, transaction, h)
}

// awaitTransaction waits until a transaction is over, and ends it after EndAfter if MayEnd says so. Its goroutine
// inherits the labels of the one that began the transaction.
func (p *poolState) awaitTransaction(db *sql.DB, transaction *sql.Tx, h *hold) {
	defer close(h.warned)
	longest := time.NewTimer(h.limits.EndAfter)
	defer longest.Stop()
	select {
	case <-h.finished:
	case <-longest.C:
		if !h.limits.MayEnd() {
			h.limits.OnTooLong(time.Since(h.began), false)
			<-h.finished
		} else if h.state.CompareAndSwap(holdRunning, holdEnded) {
			h.limits.OnTooLong(time.Since(h.began), true)
			p.endTransaction(db, transaction, h)
			return
		}
		<-h.finished
	}
	if h.held > h.limits.WarnAfter {
		h.limits.OnTooLong(h.held, false)
	}
}

// endTransaction rolls the transaction back, and lets others write until its code has returned.
func (p *poolState) endTransaction(db *sql.DB, transaction *sql.Tx, h *hold) {
	if then := h.onEnded.Load(); then != nil {
		(*then)()
	}
	given := make(chan struct{})
	var interrupting sync.WaitGroup
	interrupting.Go(func() { interruptUntil(given, h.interrupt) })
	rollback := context.WithValue(context.Background(), holdKey{}, (*conn).rollBackEnded)
	_, _ = transaction.ExecContext(rollback, holdQuery) // it fails where the code has returned meanwhile
	close(given)
	interrupting.Wait()
	p.addCapacity(db, +1)
	if other, err := db.Conn(context.Background()); err == nil { // more capacity alone wakes nobody who waits
		_ = other.Close()
	}
	<-h.finished
	p.addCapacity(db, -1)
}

// interruptUntil interrupts again and again, since a statement that is about to begin forgets an interrupt.
func interruptUntil(over <-chan struct{}, interrupt func()) {
	for again := time.NewTicker(10 * time.Millisecond); ; {
		interrupt()
		select {
		case <-over:
			again.Stop()
			return
		case <-again.C:
		}
	}
}

// addCapacity allows one more connection that writes, or one less.
func (p *poolState) addCapacity(db *sql.DB, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endedCount += by
	db.SetMaxOpenConns(1 + p.endedCount)
}
