package db

import "syscall"

const syncFileRangeWrite = 2 // SYNC_FILE_RANGE_WRITE of sync_file_range(2)

// writeback has the system begin to write what it holds of a file, and waits for nothing.
func writeback(file int) { _ = syscall.SyncFileRange(file, 0, 0, syncFileRangeWrite) } // a hint: an fsync follows
