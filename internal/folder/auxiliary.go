package folder

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
	auxiliary = "auxiliary.db" // PocketBase's logs, which nothing else depends on
	aside     = ".damaged-"    // and the time, at the end of the name of a file that was set aside
	readWhole = 32 << 20       // bytes of logs that are read through at each start
)

// SetAside renames the logs of the data folder when they are damaged, so that the service starts with new ones, and returns
// the new name. It returns none when they are sound, absent, or when something else keeps them from being read.
func SetAside(dir string, open func(path string) (*dbx.DB, error), now time.Time) (string, error) {
	path := filepath.Join(dir, auxiliary)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look at the logs: %w", err)
	}
	if !info.Mode().IsRegular() || !damaged(path, info.Size(), open) {
		return "", nil
	}
	name := auxiliary + aside + now.UTC().Format("20060102-150405")
	for _, part := range []string{"", "-wal", "-shm"} {
		err := os.Rename(path+part, filepath.Join(dir, name)+part)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set damaged logs aside: %w", err)
		}
	}
	return name, nil
}

// Damaged returns the names of logs that were set aside and nobody has removed.
func Damaged(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, auxiliary+aside+"*")) // the pattern is sound
	var names []string
	for _, path := range found {
		if !strings.HasSuffix(path, "-wal") && !strings.HasSuffix(path, "-shm") {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// damaged reports whether SQLite says that a file is none of its own, or not sound.
func damaged(path string, size int64, open func(path string) (*dbx.DB, error)) bool {
	db, err := open(path)
	if err != nil {
		return corrupt(err)
	}
	defer db.Close()
	var tables int
	if err := db.NewQuery(`SELECT count(*) FROM sqlite_master`).Row(&tables); err != nil {
		return corrupt(err)
	}
	if size > readWhole {
		return false
	}
	var verdict string
	if err := db.NewQuery(`PRAGMA quick_check(1)`).Row(&verdict); err != nil {
		return corrupt(err)
	}
	return verdict != "ok"
}

// corrupt knows SQLite's words for SQLITE_CORRUPT and SQLITE_NOTADB.
func corrupt(err error) bool {
	return strings.Contains(err.Error(), "malformed") || strings.Contains(err.Error(), "file is not a database")
}
