package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
)

const (
	auxiliaryFile   = "auxiliary.db" // PocketBase's logs; nothing else depends on them
	damagedSuffix   = ".damaged-"    // followed by the time, at the end of the name of a file that was set aside
	maxCheckedBytes = 32 << 20       // logs up to this many bytes are read through at each start
)

// SetAsideDamagedLogs renames the logs of the data folder when they are damaged, so that the service starts with new
// ones, and returns the new name. It returns "" when they are sound, do not exist, or cannot be read for another
// reason.
func SetAsideDamagedLogs(dir string, open func(path string) (*dbx.DB, error), now time.Time) (string, error) {
	path := filepath.Join(dir, auxiliaryFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look at the logs: %w", err)
	}
	if !info.Mode().IsRegular() || !isDamaged(path, info.Size(), open) {
		return "", nil
	}
	name := auxiliaryFile + damagedSuffix + now.UTC().Format("20060102-150405")
	for _, part := range []string{"", "-wal", "-shm"} {
		err := os.Rename(path+part, filepath.Join(dir, name)+part)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set damaged logs aside: %w", err)
		}
	}
	return name, nil
}

// DamagedLogs returns the names of logs that were set aside and are still there.
func DamagedLogs(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, auxiliaryFile+damagedSuffix+"*")) // the pattern is sound
	var names []string
	for _, path := range found {
		if !strings.HasSuffix(path, "-wal") && !strings.HasSuffix(path, "-shm") {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// isDamaged reports whether SQLite says that the file is no database, or a damaged one.
func isDamaged(path string, size int64, open func(path string) (*dbx.DB, error)) bool {
	db, err := open(path)
	if err != nil {
		return isCorruptError(err)
	}
	defer db.Close()
	var tables int
	if err := db.NewQuery(`SELECT count(*) FROM sqlite_master`).Row(&tables); err != nil {
		return isCorruptError(err)
	}
	if size > maxCheckedBytes {
		return false
	}
	var verdict string
	if err := db.NewQuery(`PRAGMA quick_check(1)`).Row(&verdict); err != nil {
		return isCorruptError(err)
	}
	return verdict != "ok"
}

// isCorruptError reports whether err has SQLite's text of SQLITE_CORRUPT or SQLITE_NOTADB.
func isCorruptError(err error) bool {
	return strings.Contains(err.Error(), "malformed") || strings.Contains(err.Error(), "file is not a database")
}
