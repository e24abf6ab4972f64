package db

import (
	"context"
	"sync"
)

// interruptOnDone interrupts what runs on the connection when ctx is done, and no longer once stop has returned: by then another
// statement may run. The driver heeds a context only until the first row, and database/sql only between rows, so that a question
// that looks for its second row for minutes could not be stopped. A context that is never done costs nothing, and stop is nil.
func (c *conn) interruptOnDone(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return nil
	}
	var mu sync.Mutex
	stopped := false
	forget := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			c.interrupt()
		}
	})
	return func() {
		forget()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}
}
