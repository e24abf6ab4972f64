package db

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	checkInterval     = 50 * time.Millisecond // between two checks of the log
	idleInterval      = time.Second           // after this time without a write, all of the log is copied
	longLogPages      = 32_000                // pages from which on the log is copied and started anew: 128 MB
	maxBlockingPages  = 1000                  // pages whose copying the writer may have to wait for
	writebackInterval = 5 * time.Millisecond  // between two hints to the system to write what is copied
)

// RunCheckpoints copies the write-ahead log into the database file, beside the requests instead of in one of them,
// until ctx ends. Most of it is copied while others write. Only to start the log anew the writer has to wait, while
// the pages that came meanwhile are copied.
//
// A page that changes often is copied once for all its changes, so a long log costs less. SQLite's own checkpoint, in
// the commit that finds too many pages, remains as the limit if this one cannot keep up.
func RunCheckpoints(ctx context.Context, app core.App) {
	// Only its modification time is read: to open one of SQLite's files and close it again would drop SQLite's locks.
	log := filepath.Join(app.DataDir(), "data.db-wal")
	// Left open until the process ends, for the same reason.
	data, err := syscall.Open(filepath.Join(app.DataDir(), "data.db"), syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		app.Logger().Warn("open the database to copy the write-ahead log", "err", err)
	}
	copied, pause := time.Now(), idleInterval
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		info, err := os.Stat(log)
		if err != nil || !info.ModTime().After(copied) { //nolint:nilerr // it is looked at again, for good
			pause = idleInterval // all is copied
			continue
		}
		pause = checkInterval
		if time.Since(info.ModTime()) < idleInterval {
			if left, err := walCheckpoint(app.ConcurrentDB(), "NOOP"); err != nil || left < longLogPages {
				continue
			}
		}
		at := info.ModTime()
		err = nil
		for left, last := longLogPages, longLogPages+1; err == nil && left > maxBlockingPages && left < last; { // each time fewer pages come meanwhile
			last = left
			if err = copyLog(ctx, app.ConcurrentDB(), data); err == nil {
				left, err = walCheckpoint(app.ConcurrentDB(), "NOOP")
			}
		}
		if err == nil {
			_, err = walCheckpoint(app.NonconcurrentDB(), "PASSIVE")
		}
		if err != nil {
			app.Logger().Warn("copy the write-ahead log", "err", err)
			continue
		}
		copied = at
	}
}

// copyLog copies what it can. Meanwhile it has the system write what is copied already: written all at once, in the
// fsync at the end, it would keep the disk from the commits that wait for it.
func copyLog(ctx context.Context, db dbx.Builder, data int) error {
	ctx, done := context.WithCancel(ctx)
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(writebackInterval):
				writeback(data)
			}
		}
	})
	_, err := walCheckpoint(db, "PASSIVE")
	done()
	writing.Wait()
	return err
}

// walCheckpoint copies what it can without waiting for anybody, or nothing with the mode NOOP, and returns how many
// pages of the log are not copied. When all are copied, the next write starts the log anew.
func walCheckpoint(db dbx.Builder, mode string) (left int, err error) {
	var busy, pages, done int
	err = db.NewQuery(`PRAGMA wal_checkpoint(`+mode+`)`).Row(&busy, &pages, &done)
	return pages - done, err
}
