// Package writer commits together what many ask for at once: one transaction, and one wait for the disk, serves all
// who are waiting.
package writer

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/fault"
)

const (
	together = 64   // deeds in a transaction
	waiting  = 1024 // deeds that wait; more are refused
)

// Writer is the one that writes for all who wait. It has no goroutine while nobody does.
type Writer struct {
	app core.App

	mu      sync.Mutex // guards all below
	queue   []*deed
	writing bool
}

type deed struct {
	do   func(tx core.App) error
	err  error
	done chan struct{}
}

// New returns a writer to the app's database.
func New(app core.App) *Writer { return &Writer{app: app} }

// Do runs do in a transaction that it may share with others', and returns when it is committed or undone. Where too many
// wait already, it is fault.ErrBusy at once.
//
// An error undoes the transaction. What shared it is done again, each in one of its own, so nobody is harmed by somebody
// else's error and do may run more than once: only what its last run found counts.
func (w *Writer) Do(do func(tx core.App) error) error {
	d := &deed{do: do, done: make(chan struct{})}
	w.mu.Lock()
	if len(w.queue) >= waiting {
		w.mu.Unlock()
		return fault.ErrBusy
	}
	w.queue = append(w.queue, d)
	idle := !w.writing
	w.writing = true
	w.mu.Unlock()
	if idle { // no goroutine has to be woken for who comes alone
		w.serve(w.next())
		if group := w.next(); len(group) > 0 {
			go w.write(group)
		}
	}
	<-d.done
	return d.err
}

// Waiting returns how many deeds wait for a transaction.
func (w *Writer) Waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// write serves a group and then the queue until it is empty.
func (w *Writer) write(group []*deed) {
	for ; len(group) > 0; group = w.next() {
		w.serve(group)
	}
}

func (w *Writer) serve(group []*deed) {
	if w.commit(group) != nil && len(group) > 1 {
		for i := range group {
			w.commit(group[i : i+1])
		}
	}
	for _, d := range group {
		close(d.done)
	}
}

func (w *Writer) next() []*deed {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), together)
	group := w.queue[:n:n]
	w.queue = w.queue[n:]
	w.writing = n > 0
	return group
}

// commit does a group in one transaction; its error is each one's.
func (w *Writer) commit(group []*deed) (err error) {
	committed := false
	defer func() {
		if r := recover(); r != nil { // on a goroutine that belongs to others too
			w.app.Logger().Error("write", "committed", committed, "err", fmt.Sprint(r), "stack", string(debug.Stack()))
			if !committed {
				err = fmt.Errorf("panic: %v", r)
			}
		}
		for _, d := range group {
			d.err = err
		}
	}()
	return w.app.RunInTransaction(func(tx core.App) error {
		tx.TxInfo().OnComplete(func(failed error) error {
			committed = failed == nil
			return nil
		})
		for _, d := range group {
			if err := d.do(tx); err != nil {
				return err
			}
		}
		return nil
	})
}
