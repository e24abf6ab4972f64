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
	quiet    chan struct{} // closed once it began and nothing is under way
}

// NewDrain returns one that has not begun.
func NewDrain() *Drain { return &Drain{quiet: make(chan struct{})} }

// Enter counts a request until leave is called.
func (d *Drain) Enter() (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underway++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.underway--
		d.settle()
	}
}

// Begin says that the service is about to end.
func (d *Drain) Begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began = true
	d.settle()
}

// Began reports whether it has.
func (d *Drain) Began() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began
}

// Wait returns true when, after Begin, there was a moment with nothing under way, and false when ctx ended first.
func (d *Drain) Wait(ctx context.Context) bool {
	select {
	case <-d.quiet:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle needs mu.
func (d *Drain) settle() {
	if !d.began || d.underway > 0 {
		return
	}
	select {
	case <-d.quiet:
	default:
		close(d.quiet)
	}
}
