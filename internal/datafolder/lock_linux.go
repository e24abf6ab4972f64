package datafolder

import (
	"io"
	"os"
	"syscall"
)

const (
	setOpenFileLock = 37            // F_OFD_SETLK: a lock of the open file, which does not touch SQLite's own, of the process
	besideSQLite    = 1<<30 + 1<<20 // a byte that SQLite never locks: its own begin at 1<<30 and are 512
)

// lockBeside locks a byte of a database that means nothing to SQLite.
func lockBeside(file *os.File) error {
	return syscall.FcntlFlock(file.Fd(), setOpenFileLock, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: besideSQLite, Len: 1})
}
