package metrics

import (
	"context"
	"sync"
)

// Drain counts the requests that are under way, and knows whether the service is about to end.
type Drain struct {
	mu       sync.Mutex // guards all below
	underway int
	began    bool
	drained  chan struct{} // closed when BeginDrain was called and nothing is under way
}

// NewDrain returns a Drain that has not begun.
func NewDrain() *Drain { return &Drain{drained: make(chan struct{})} }

// EnterRequest counts a request until leave is called.
func (d *Drain) EnterRequest() (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underway++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.underway--
		d.closeIfDrained()
	}
}

// BeginDrain says that the service is about to end.
func (d *Drain) BeginDrain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began = true
	d.closeIfDrained()
}

// HasBegun reports whether BeginDrain was called.
func (d *Drain) HasBegun() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began
}

// WaitDrained returns true when, after BeginDrain, there was a moment with no request under way, and false when ctx
// ended first.
func (d *Drain) WaitDrained(ctx context.Context) bool {
	select {
	case <-d.drained:
		return true
	case <-ctx.Done():
		return false
	}
}

// closeIfDrained needs mu.
func (d *Drain) closeIfDrained() {
	if !d.began || d.underway > 0 {
		return
	}
	select {
	case <-d.drained:
	default:
		close(d.drained)
	}
}
