package batchwriter

import "time"

// SetBatchTime sets after how long a transaction takes no further write.
func (w *BatchWriter) SetBatchTime(d time.Duration) { w.batchTime = d }
