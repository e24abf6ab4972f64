// Package datafolder looks after the data folder: nobody but the owner may read its files, and logs that cannot be read do
// not keep the service from starting.
package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// othersMode is the rights of everybody but the owner.
const othersMode fs.FileMode = 0o077

// KeepPrivate makes this process create no file that others may read, wherever it creates one.
func KeepPrivate() { syscall.Umask(int(othersMode)) }

// CloseToOthers takes away the rights of others to dir, its entries and the backups in it, where they have any, and
// returns those paths. What lies deeper cannot be reached through a closed folder.
func CloseToOthers(dir string) (closed []string, err error) {
	open, err := OpenToOthers(dir)
	if err != nil {
		return nil, err
	}
	for _, path := range open {
		info, err := os.Stat(path)
		if err == nil {
			err = os.Chmod(path, info.Mode().Perm()&^othersMode)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // SQLite may just have removed a file of its own
			return closed, fmt.Errorf("close %s to others: %w", path, err)
		}
		closed = append(closed, path)
	}
	return closed, nil
}

// OpenToOthers returns the paths that CloseToOthers would close, the folder itself first.
func OpenToOthers(dir string) ([]string, error) {
	paths := []string{dir}
	for _, pattern := range []string{"*", "backups/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		paths = append(paths, found...)
	}
	var open []string
	for _, path := range paths {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at the data folder: %w", err)
		}
		if info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&othersMode != 0 {
			open = append(open, path)
		}
	}
	return open, nil
}
