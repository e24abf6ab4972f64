package writer

import "time"

// SetBrief sets after how long a transaction takes no further deed.
func (w *Writer) SetBrief(d time.Duration) { w.brief = d }
