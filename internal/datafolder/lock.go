package datafolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFiles keeps the locked files open for as long as the process lives. Closing one that is data.db would drop
// SQLite's own locks of it.
var lockFiles []*os.File

// Lock makes this process the only one that serves the folder; if another one does, it returns an error. The
// lock is on a file of its own, which a restore of a backup moves away, and also on the database, as somebody may
// remove that file. Both locks end with the process, and with execve.
func Lock(dir string) error {
	for _, l := range []struct {
		name string
		take func(*os.File) error
	}{{"serve.lock", lockWholeFile}, {"data.db", lockBeside}} {
		file, err := os.OpenFile(filepath.Join(dir, l.name), os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the operator says where the data is
		if err != nil {
			return fmt.Errorf("lock the data folder: %w", err)
		}
		lockFiles = append(lockFiles, file)
		switch err := l.take(file); {
		case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EACCES):
			return fmt.Errorf("another process serves the data folder %s", dir)
		case err != nil:
			return fmt.Errorf("lock %s of the data folder %s: %w", l.name, dir, err)
		}
	}
	return nil
}

func lockWholeFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
