package db

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/doubletap/doubletap/internal/fault"
)

// Connections that read access pages in memory into which the system has mapped the file. A page that can no longer be
// read, because the file was cut short or the disk has a bad place, is then not an error of a call but a signal, which
// ends a Go program. This file makes it end the statement only: its connection is given up, and all connections that
// are opened from then on read by calls, which return an error.

// damageState is what a pool has seen of damage to its file.
type damageState struct {
	faults atomic.Int64 // pages that could not be accessed
	seen   atomic.Bool  // a fault, or what SQLite calls corrupt
}

// unmapPragma is for connections that are opened after a fault.
const unmapPragma = `PRAGMA mmap_size = 0`

// IsDamaged reports whether, since the process began, a statement of app met a part of data.db that cannot be read or
// makes no sense.
func IsDamaged(app core.App) bool {
	for _, builder := range []dbx.Builder{app.ConcurrentDB(), app.NonconcurrentDB()} {
		if pool, ok := builder.(*dbx.DB); ok {
			if state, ours := pool.DB().Driver().(*poolState); ours && state.damage.seen.Load() {
				return true
			}
		}
	}
	return false
}

// expectFault turns a fault on this goroutine from now on into a panic, which recoverFault recovers.
func expectFault() { debug.SetPanicOnFault(true) }

// recoverFault turns the panic of a fault into the statement's error, and notes what SQLite itself calls corrupt.
// Defer it. After a fault the state of the connection is unknown: it may hold locks that its Close would wait for.
func (c *conn) recoverFault(err *error) {
	if r := recover(); r != nil {
		address, isFault := r.(interface{ Addr() uintptr })
		if !isFault {
			panic(r)
		}
		c.unusable, c.stateUnknown = true, true
		c.pool.damage.faults.Add(1)
		c.pool.damage.seen.Store(true)
		*err = fmt.Errorf("%w: fault at %#x", fault.ErrDamaged, address.Addr())
		return
	}
	if failed, ok := errors.AsType[*sqlite.Error](*err); ok {
		if code := failed.Code() & 0xff; code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB {
			c.pool.damage.seen.Store(true)
		}
	}
}

// runSetup runs the statements with which each new connection of the pool begins.
func (c *conn) runSetup(ctx context.Context) (err error) {
	expectFault()
	defer c.recoverFault(&err)
	if err := c.keepPlans(); err != nil {
		return err
	}
	var statements []string
	if setup := c.pool.setup.Load(); setup != nil {
		statements = *setup
	}
	if c.faults > 0 {
		statements = append(statements[:len(statements):len(statements)], unmapPragma)
	}
	for _, statement := range statements {
		if _, err := c.session.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}
