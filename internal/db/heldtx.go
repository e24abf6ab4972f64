package db

import (
	"context"
	"database/sql/driver"
	"strings"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/doubletap/doubletap/internal/fault"
)

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
