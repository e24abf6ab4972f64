package db

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	calm  = time.Second            // between two copies of a log that grows slowly
	brisk = 100 * time.Millisecond // and of one that grows fast
	some  = 1_000                  // pages in the log that make the difference: 4 MB
	full  = 8_000                  // pages from which it is begun anew: 32 MB
)

// Checkpoint copies the write-ahead log into the database file, beside the requests instead of
// in one of them, until ctx ends. Most is copied while others write; only to begin the log anew the writer has to wait, for
// what came meanwhile.
//
// SQLite's own checkpoint, in the commit that finds too many pages, stays as the bound that holds if this falls behind.
func Checkpoint(ctx context.Context, app core.App) {
	// Only its times are looked at: to open one of SQLite's files and close it again would drop SQLite's locks.
	log := filepath.Join(app.DataDir(), "data.db-wal")
	wait, copied := calm, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = calm
		at := time.Now()
		if info, err := os.Stat(log); err != nil || info.ModTime().Before(copied) {
			continue
		}
		pages, err := checkpoint(app.ConcurrentDB())
		if err == nil && pages >= full {
			_, err = checkpoint(app.NonconcurrentDB())
		}
		if err != nil {
			app.Logger().Warn("copy the write-ahead log", "err", err)
			continue
		}
		copied = at
		if pages >= some {
			wait = brisk
		}
	}
}

// checkpoint copies what it can without waiting for anybody, and returns how many pages the log has. One that was copied
// whole is begun anew by the next write.
func checkpoint(db dbx.Builder) (pages int, err error) {
	var busy, done int
	err = db.NewQuery(`PRAGMA wal_checkpoint(PASSIVE)`).Row(&busy, &pages, &done)
	return pages, err
}
