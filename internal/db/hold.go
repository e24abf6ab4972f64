package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/doubletap/doubletap/internal/fault"
)

// TransactionLimits say how long a transaction may hold the only connection that writes. OnTooLong and the functions
// of OnTransactionEnded are called on a goroutine of their own. It has the pprof labels of the goroutine that began
// the transaction, so that they can say who it was.
type TransactionLimits struct {
	WarnAfter time.Duration                        // a transaction that took longer is reported when it is over
	EndAfter  time.Duration                        // a transaction is ended after this time, if MayEnd says so
	MayEnd    func() bool                          // called when EndAfter is over
	OnTooLong func(held time.Duration, ended bool) // called when a transaction was too long and is over, was ended, or goes on beyond EndAfter
	OnCommit  func(rows int64)                     // called after each commit, with the number of rows that changed, those by triggers included; may be nil
}

// LimitWriter limits the transactions of app's connection that writes, from now on. Without it, as in a command, a
// transaction may take as long as it takes.
//
// A transaction that is ended is rolled back at once: its statement is interrupted; each further statement, and the
// commit, returns fault.ErrTransactionEnded; and others write meanwhile with another connection, even if the code of
// the transaction never returns.
func LimitWriter(app core.App, limits TransactionLimits) {
	if _, pool := writerPool(app); pool != nil {
		pool.limits.Store(&limits)
	}
}

// WriterLimits returns what LimitWriter has set, or no limits.
func WriterLimits(app core.App) TransactionLimits {
	if _, pool := writerPool(app); pool != nil {
		if limits := pool.limits.Load(); limits != nil {
			return *limits
		}
	}
	return TransactionLimits{}
}

// SetUpWriter runs statements on the connection that writes, and on each connection that later takes its place.
func SetUpWriter(app core.App, statements ...string) error {
	writer, pool := writerPool(app)
	if writer == nil {
		return nil
	}
	if pool != nil {
		pool.setup.Store(&statements)
	}
	for _, statement := range statements {
		if _, err := writer.Exec(statement); err != nil {
			return fmt.Errorf("set up the connection that writes: %s: %w", statement, err)
		}
	}
	return nil
}

// writerPool returns what app writes with: nil inside a transaction, and a nil poolState where Open did not open it.
func writerPool(app core.App) (*sql.DB, *poolState) {
	writer, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return nil, nil
	}
	pool, _ := writer.DB().Driver().(*poolState)
	return writer.DB(), pool
}

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

// poolState is what the connections of one pool share. database/sql returns it as the pool's driver.
type poolState struct {
	driver.Driver
	limits atomic.Pointer[TransactionLimits]
	setup  atomic.Pointer[[]string]
	check  atomic.Pointer[func(query string) error]
	damage damageState

	mu         sync.Mutex
	endedCount int // transactions that were ended and whose code has not returned yet
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
	go interruptUntil(given, h.interrupt)
	rollback := context.WithValue(context.Background(), holdKey{}, (*conn).rollBackEnded)
	_, _ = transaction.ExecContext(rollback, holdQuery) // it fails where the code has returned meanwhile
	close(given)
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

// heldTx ends the hold together with the transaction.
type heldTx struct {
	driver.Tx
	conn *conn
}

// Commit implements driver.Tx.
func (t *heldTx) Commit() error {
	h := t.conn.hold
	if t.conn.releaseHold() {
		_ = t.Tx.Rollback() // it may be rolled back already
		return fault.ErrTransactionEnded
	}
	err := t.Tx.Commit()
	if err == nil && h != nil && h.limits.OnCommit != nil {
		h.limits.OnCommit(t.conn.totalChanges() - h.changes)
	}
	return err
}

// Rollback implements driver.Tx.
func (t *heldTx) Rollback() error {
	wasEnded := t.conn.releaseHold()
	err := t.Tx.Rollback()
	if wasEnded { // the error of its own code may not tell
		return fault.ErrTransactionEnded
	}
	return err
}

// releaseHold ends the hold and reports whether the transaction was ended before. A commit that has begun is not
// ended: its outcome would be unknown.
func (c *conn) releaseHold() (wasEnded bool) {
	h := c.hold
	if h == nil {
		return false
	}
	wasEnded = !h.state.CompareAndSwap(holdRunning, holdOver)
	c.hold = nil
	if wasEnded { // an interrupt may still come, and must not meet another transaction
		c.unusable = true
	}
	h.held = time.Since(h.began)
	close(h.finished)
	if !wasEnded && h.held > h.limits.WarnAfter {
		select { // so that the warning is in the log before the answer, unless who logs waits for this transaction
		case <-h.warned:
		case <-time.After(warningTimeout):
		}
	}
	return wasEnded
}

// rollBackEnded rolls back a transaction that was ended, so that it gives up its lock on the database.
func (c *conn) rollBackEnded() {
	c.unusable = true
	for r := range c.openRows {
		_ = r.Close()
	}
	for range 10 { // an interrupted write has rolled back already, and an interrupt may come between
		if _, err := c.session.ExecContext(context.Background(), "ROLLBACK", nil); err == nil || strings.Contains(err.Error(), "no transaction is active") {
			return
		}
	}
}

// interruptStatement interrupts the statement that runs, if any.
func (c *conn) interruptStatement() {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed {
		return
	}
	tls := libc.NewTLS()
	defer tls.Close()
	// The driver itself interrupts only by a context, which it ignores between two rows.
	sqlite3.Xsqlite3_interrupt(tls, c.sqliteHandle())
}

// totalChanges returns how many rows the connection has changed since it was opened.
func (c *conn) totalChanges() int64 {
	tls := libc.NewTLS()
	defer tls.Close()
	return int64(sqlite3.Xsqlite3_total_changes64(tls, c.sqliteHandle()))
}
