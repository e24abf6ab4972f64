package db

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
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
