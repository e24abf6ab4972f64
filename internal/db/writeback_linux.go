package db

import "syscall"

const syncFileRangeWrite = 2 // SYNC_FILE_RANGE_WRITE of sync_file_range(2)

// writeback has the system begin to write what it holds in memory of a file, and does not wait for it.
func writeback(file int) { _ = syscall.SyncFileRange(file, 0, 0, syncFileRangeWrite) } // a hint only: an fsync follows
