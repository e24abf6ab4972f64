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
	maxBatch     = 64                    // deeds in a transaction
	maxWaiting   = 1024                  // deeds that wait; more are refused
	maxBatchTime = 20 * time.Millisecond // after which a transaction takes no further deed
)

// BatchWriter is the one that writes for all who wait. It has no goroutine while nobody does.
type BatchWriter struct {
	app       core.App
	batchTime time.Duration
	labels    pprof.LabelSet

	mu      sync.Mutex // guards all below
	queue   []*pendingWrite
	writing bool
}

type pendingWrite struct {
	work  func(tx core.App) error
	err   error
	done  chan struct{}
	alone bool // as the transaction that it shared was undone
}

// batch is a transaction for a group.
type batch struct {
	writes   []*pendingWrite
	position int  // the deed that is being done; those before it are done
	finished bool // for this goroutine: the transaction has returned, or was ended
}

// New returns a writer to the app's database.
func New(app core.App, labels pprof.LabelSet) *BatchWriter {
	return &BatchWriter{app: app, batchTime: maxBatchTime, labels: labels}
}

// InSharedTx runs do in a transaction that it may share with others', and returns when it is committed or undone. Where too many
// wait already, it is fault.ErrBusy at once.
//
// An error undoes the transaction. What shared it is done again, each in one of its own, so nobody is harmed by somebody
// else's error and do may run more than once: only what its last run found counts.
func (w *BatchWriter) InSharedTx(do func(tx core.App) error) error {
	d := &pendingWrite{work: do, done: make(chan struct{})}
	w.mu.Lock()
	if len(w.queue) >= maxWaiting {
		w.mu.Unlock()
		return fault.ErrBusy
	}
	w.queue = append(w.queue, d)
	idle := !w.writing
	w.writing = true
	w.mu.Unlock()
	if idle && w.commitBatch(w.nextBatch()) { // no goroutine has to be woken for who comes alone
		if group := w.nextBatch(); len(group) > 0 {
			go w.commitQueue(group)
		}
	}
	<-d.done
	return d.err
}

// WaitingCount returns how many deeds wait for a transaction.
func (w *BatchWriter) WaitingCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// commitQueue serves a group and then the queue until it is empty, or until another goroutine does.
func (w *BatchWriter) commitQueue(group []*pendingWrite) {
	for len(group) > 0 && w.commitBatch(group) {
		group = w.nextBatch()
	}
}

// nextBatch takes what shall be done together, and notes that nobody writes when there is nothing.
func (w *BatchWriter) nextBatch() []*pendingWrite {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.takeBatch()
}

func (w *BatchWriter) takeBatch() []*pendingWrite {
	n := 0
	for n < min(len(w.queue), maxBatch) && !w.queue[n].alone {
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

// commitBatch does what it can of a group in one transaction, and reports whether this goroutine is still the one that writes.
func (w *BatchWriter) commitBatch(group []*pendingWrite) bool {
	r := &batch{writes: group}
	err := w.runBatch(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.finished {
		return false
	}
	r.finished = true
	done, rest := group[:r.position], group[r.position:]
	if err != nil {
		done = group[:min(r.position+1, len(group))]
		rest = group[len(done):]
	}
	if err != nil && len(done) > 1 {
		w.requeueWrites(done, rest)
		return true
	}
	w.requeueWrites(nil, rest)
	for _, d := range done {
		d.err = err
		close(d.done)
	}
	return true
}

// requeueWrites puts deeds before all that wait; those that were undone are done alone.
func (w *BatchWriter) requeueWrites(undone, rest []*pendingWrite) {
	for _, d := range undone {
		d.alone = true
	}
	if len(undone)+len(rest) > 0 {
		w.queue = slices.Concat(undone, rest, w.queue)
	}
}

// replaceCommitter answers the deed whose transaction was ended, and goes on with all others on a goroutine of its own: the one
// that did it may never return.
func (w *BatchWriter) replaceCommitter(r *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.finished {
		return
	}
	r.finished = true
	at := min(r.position, len(r.writes)-1)
	w.requeueWrites(r.writes[:at], r.writes[at+1:])
	r.writes[at].err = fault.ErrTransactionEnded
	close(r.writes[at].done)
	go w.commitQueue(w.takeBatch())
}

// beginWrite notes which deed is being done, unless the transaction was ended.
func (w *BatchWriter) beginWrite(r *batch, at int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.position = at
	return !r.finished
}

// runBatch does the deeds of a run in one transaction, at least one; r.at tells how far it came.
func (w *BatchWriter) runBatch(r *batch) (err error) {
	committed := false
	defer func() {
		if p := recover(); p != nil { // on a goroutine that belongs to others too
			w.app.Logger().Error("write", "committed", committed, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !committed {
				err = fmt.Errorf("panic: %v", p)
			}
		}
	}()
	pprof.Do(context.Background(), w.labels, func(context.Context) { err = w.runBatchLabelled(r, &committed) })
	return err
}

// runBatchLabelled does it under the writer's own labels: its goroutine is that of one of those who wait, for all of them.
func (w *BatchWriter) runBatchLabelled(r *batch, committed *bool) error {
	return w.app.RunInTransaction(func(tx core.App) error {
		db.OnTransactionEnded(tx, func() { w.replaceCommitter(r) })
		tx.TxInfo().OnComplete(func(failed error) error {
			*committed = failed == nil
			return nil
		})
		began := time.Now()
		for i, d := range r.writes {
			if !w.beginWrite(r, i) {
				return fault.ErrTransactionEnded
			}
			if i > 0 && time.Since(began) > w.batchTime {
				return nil
			}
			if err := d.work(tx); err != nil {
				return err
			}
		}
		if !w.beginWrite(r, len(r.writes)) {
			return fault.ErrTransactionEnded
		}
		return nil
	})
}
