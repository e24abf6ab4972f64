package writer

import "time"

// SetBatchTime sets after how long a transaction takes no further deed.
func (w *BatchWriter) SetBatchTime(d time.Duration) { w.batchTime = d }
