package watch

import (
	"context"
	"sync"
)

// Drain knows the requests under way, and whether the service is about to end.
type Drain struct {
	mu       sync.Mutex // guards all below
	underway int
	began    bool
	drained  chan struct{} // closed once it began and nothing is under way
}

// NewDrain returns one that has not begun.
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

// HasBegun reports whether it has.
func (d *Drain) HasBegun() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began
}

// WaitDrained returns true when, after Begin, there was a moment with nothing under way, and false when ctx ended first.
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
