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

	"doubletap/internal/fault"
)

// Connections that read look at pages where the system holds the file. A page that cannot be had any more, as the file was
// cut short or the disk has a bad place, is then no error of a call but a signal, which ends a Go program. Here it ends the
// statement: its connection is given up, and all that are opened from then on read by calls, which fail as others do.

// damage is what a pool has met of its file.
type damage struct {
	faults atomic.Int64 // pages that could not be looked at
	met    atomic.Bool  // one of these, or what SQLite calls corrupt
}

// unmap is for connections that are opened after a fault.
const unmap = `PRAGMA mmap_size = 0`

// Damaged reports whether a statement of app met a part of data.db that cannot be read or makes no sense, since the
// process began.
func Damaged(app core.App) bool {
	for _, builder := range []dbx.Builder{app.ConcurrentDB(), app.NonconcurrentDB()} {
		if pool, ok := builder.(*dbx.DB); ok {
			if state, ours := pool.DB().Driver().(*poolState); ours && state.damage.met.Load() {
				return true
			}
		}
	}
	return false
}

// expectFault makes a fault in what this goroutine does from now on a panic, for endFault to recover.
func expectFault() { debug.SetPanicOnFault(true) }

// endFault makes the panic of a fault the statement's error, and notes what SQLite itself calls corrupt; defer it.
// The connection is in no known state: it may hold locks that its Close would wait for.
func (c *conn) endFault(err *error) {
	if r := recover(); r != nil {
		address, isFault := r.(interface{ Addr() uintptr })
		if !isFault {
			panic(r)
		}
		c.dead, c.lost = true, true
		c.pool.damage.faults.Add(1)
		c.pool.damage.met.Store(true)
		*err = fmt.Errorf("%w: fault at %#x", fault.ErrDamaged, address.Addr())
		return
	}
	if failed, ok := errors.AsType[*sqlite.Error](*err); ok {
		if code := failed.Code() & 0xff; code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB {
			c.pool.damage.met.Store(true)
		}
	}
}

// setUp runs what each new connection of the pool begins with.
func (c *conn) setUp(ctx context.Context) (err error) {
	expectFault()
	defer c.endFault(&err)
	if err := c.keepPlans(); err != nil {
		return err
	}
	var statements []string
	if setup := c.pool.setup.Load(); setup != nil {
		statements = *setup
	}
	if c.faults > 0 {
		statements = append(statements[:len(statements):len(statements)], unmap)
	}
	for _, statement := range statements {
		if _, err := c.session.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}
