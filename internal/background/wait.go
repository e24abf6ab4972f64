// Package background waits for goroutines that outlive the call which began them. Each has an owner: it begins them by
// the Go method of a sync.WaitGroup of its own, and waits for that before the process ends. A test at the top of the
// repository finds those that have none.
package background

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// moment is how long a group in which nothing runs may take to say so.
const moment = 50 * time.Millisecond

// Wait returns nil when all goroutines of the group have ended. When ctx ends first, it returns an error, and leaves
// them alone. As with the group's own Wait, none may begin meanwhile unless another runs.
func Wait(ctx context.Context, group *sync.WaitGroup) error {
	over := make(chan struct{})
	go func() {
		group.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
	}
	select { // a context that has ended already says nothing about the group
	case <-over:
		return nil
	case <-time.After(moment):
		return fmt.Errorf("wait for goroutines: %w", ctx.Err())
	}
}
