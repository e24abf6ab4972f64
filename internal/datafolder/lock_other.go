//go:build !linux

package datafolder

import "os"

// lockBeside does nothing: outside of Linux the locks of an open file are those of the process, and in SQLite's way.
func lockBeside(*os.File) error { return nil }
