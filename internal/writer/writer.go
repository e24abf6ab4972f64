// Package writer commits together what many ask for at once: one transaction, and one wait for the disk, serves all
// who are waiting.
package writer

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/fault"
)

const (
	together = 64                    // deeds in a transaction
	waiting  = 1024                  // deeds that wait; more are refused
	brief    = 20 * time.Millisecond // after which a transaction takes no further deed
)

// Writer is the one that writes for all who wait. It has no goroutine while nobody does.
type Writer struct {
	app    core.App
	brief  time.Duration
	labels pprof.LabelSet

	mu      sync.Mutex // guards all below
	queue   []*deed
	writing bool
}

type deed struct {
	do    func(tx core.App) error
	err   error
	done  chan struct{}
	alone bool // as the transaction that it shared was undone
}

// run is a transaction for a group.
type run struct {
	group []*deed
	at    int  // the deed that is being done; those before it are done
	over  bool // for this goroutine: the transaction has returned, or was ended
}

// New returns a writer to the app's database.
func New(app core.App, labels pprof.LabelSet) *Writer {
	return &Writer{app: app, brief: brief, labels: labels}
}

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
	if idle && w.commit(w.next()) { // no goroutine has to be woken for who comes alone
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

// write serves a group and then the queue until it is empty, or until another goroutine does.
func (w *Writer) write(group []*deed) {
	for len(group) > 0 && w.commit(group) {
		group = w.next()
	}
}

// next takes what shall be done together, and notes that nobody writes when there is nothing.
func (w *Writer) next() []*deed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.take()
}

func (w *Writer) take() []*deed {
	n := 0
	for n < min(len(w.queue), together) && !w.queue[n].alone {
		n++
	}
	if n == 0 {
		n = min(len(w.queue), 1)
	}
	group := w.queue[:n:n]
	w.queue = w.queue[n:]
	w.writing = n > 0
	return group
}

// commit does what it can of a group in one transaction, and reports whether this goroutine is still the one that writes.
func (w *Writer) commit(group []*deed) bool {
	r := &run{group: group}
	err := w.transact(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.over {
		return false
	}
	r.over = true
	done, rest := group[:r.at], group[r.at:]
	if err != nil {
		done = group[:min(r.at+1, len(group))]
		rest = group[len(done):]
	}
	if err != nil && len(done) > 1 {
		w.again(done, rest)
		return true
	}
	w.again(nil, rest)
	for _, d := range done {
		d.err = err
		close(d.done)
	}
	return true
}

// again puts deeds before all that wait; those that were undone are done alone.
func (w *Writer) again(undone, rest []*deed) {
	for _, d := range undone {
		d.alone = true
	}
	if len(undone)+len(rest) > 0 {
		w.queue = slices.Concat(undone, rest, w.queue)
	}
}

// takeOver answers the deed whose transaction was ended, and goes on with all others on a goroutine of its own: the one
// that did it may never return.
func (w *Writer) takeOver(r *run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.over {
		return
	}
	r.over = true
	at := min(r.at, len(r.group)-1)
	w.again(r.group[:at], r.group[at+1:])
	r.group[at].err = fault.ErrHeld
	close(r.group[at].done)
	go w.write(w.take())
}

// begins notes which deed is being done, unless the transaction was ended.
func (w *Writer) begins(r *run, at int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.at = at
	return !r.over
}

// transact does the deeds of a run in one transaction, at least one; r.at tells how far it came.
func (w *Writer) transact(r *run) (err error) {
	committed := false
	defer func() {
		if p := recover(); p != nil { // on a goroutine that belongs to others too
			w.app.Logger().Error("write", "committed", committed, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !committed {
				err = fmt.Errorf("panic: %v", p)
			}
		}
	}()
	pprof.Do(context.Background(), w.labels, func(context.Context) { err = w.transactLabelled(r, &committed) })
	return err
}

// transactLabelled does it under the writer's own labels: its goroutine is that of one of those who wait, for all of them.
func (w *Writer) transactLabelled(r *run, committed *bool) error {
	return w.app.RunInTransaction(func(tx core.App) error {
		db.OnEnded(tx, func() { w.takeOver(r) })
		tx.TxInfo().OnComplete(func(failed error) error {
			*committed = failed == nil
			return nil
		})
		began := time.Now()
		for i, d := range r.group {
			if !w.begins(r, i) {
				return fault.ErrHeld
			}
			if i > 0 && time.Since(began) > w.brief {
				return nil
			}
			if err := d.do(tx); err != nil {
				return err
			}
		}
		if !w.begins(r, len(r.group)) {
			return fault.ErrHeld
		}
		return nil
	})
}
