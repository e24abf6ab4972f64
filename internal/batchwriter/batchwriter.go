// Package batchwriter commits together what many callers want to write at once: one transaction, and one wait for the disk,
// for all who are waiting.
package batchwriter

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

const (
	maxBatch     = 64                    // writes in one transaction
	maxWaiting   = 1024                  // writes that wait for a transaction; more are refused
	maxBatchTime = 20 * time.Millisecond // after this time a transaction takes no further write
)

// BatchWriter commits the writes of all callers, in batches. It has no goroutine while nobody waits.
type BatchWriter struct {
	app       core.App
	batchTime time.Duration
	labels    pprof.LabelSet

	mu      sync.Mutex // guards all below
	queue   []*pendingWrite
	writing bool
	closed  bool
	working sync.WaitGroup // callers, and goroutines that commit for them; it grows with mu, while open or while another counts
}

type pendingWrite struct {
	work  func(tx core.App) error
	err   error
	done  chan struct{}
	alone bool // not in a batch: the transaction that it shared was rolled back
}

// batch is the writes of one transaction, and how far it came.
type batch struct {
	writes   []*pendingWrite
	position int  // index of the write that runs; those before it have run
	finished bool // for its goroutine: the transaction has returned, or was ended
}

// New returns a writer for the app's database.
func New(app core.App, labels pprof.LabelSet) *BatchWriter {
	return &BatchWriter{app: app, batchTime: maxBatchTime, labels: labels}
}

// InSharedTx runs do in a transaction that it may share with other callers', and returns when that is committed or
// rolled back. Where too many wait already, or after Close, it returns fault.ErrBusy at once.
//
// An error of do, or a panic, rolls the transaction back. The writes that shared it then run again, each in a
// transaction of its own, so nobody is harmed by somebody else's error. So do may run more than once: only what its
// last run found counts.
func (w *BatchWriter) InSharedTx(do func(tx core.App) error) error {
	pending := &pendingWrite{work: do, done: make(chan struct{})}
	w.mu.Lock()
	if w.closed || len(w.queue) >= maxWaiting {
		w.mu.Unlock()
		return fault.ErrBusy
	}
	w.working.Add(1)
	defer w.working.Done()
	w.queue = append(w.queue, pending)
	idle := !w.writing
	w.writing = true
	w.mu.Unlock()
	if idle && w.commitBatch(w.nextBatch()) { // an uncontended caller commits on its own goroutine
		if group := w.nextBatch(); len(group) > 0 {
			w.working.Go(func() { w.commitQueue(group) })
		}
	}
	<-pending.done
	return pending.err
}

// Close takes no further write, and returns nil when all that wait are committed or rolled back. When ctx ends first it
// returns an error: a write whose transaction was ended may never return.
func (w *BatchWriter) Close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	return background.Wait(ctx, &w.working)
}

// WaitingCount returns how many writes wait for a transaction.
func (w *BatchWriter) WaitingCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// commitQueue commits a batch and then the queue, until it is empty or another goroutine has taken over.
func (w *BatchWriter) commitQueue(group []*pendingWrite) {
	for len(group) > 0 && w.commitBatch(group) {
		group = w.nextBatch()
	}
}

// nextBatch takes the writes of the next batch from the queue. When there are none, it notes that nobody is
// committing.
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

// commitBatch runs as much of a group as it can in one transaction, and puts the others back into the queue. It
// returns false when another goroutine has taken over.
func (w *BatchWriter) commitBatch(group []*pendingWrite) bool {
	b := &batch{writes: group}
	err := w.runBatch(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.finished {
		return false
	}
	b.finished = true
	done, rest := group[:b.position], group[b.position:]
	if err != nil {
		done = group[:min(b.position+1, len(group))]
		rest = group[len(done):]
	}
	if err != nil && len(done) > 1 {
		w.requeueWrites(done, rest)
		return true
	}
	w.requeueWrites(nil, rest)
	for _, write := range done {
		write.err = err
		close(write.done)
	}
	return true
}

// requeueWrites puts writes back before all that wait. Those that were rolled back will run alone. It needs mu.
func (w *BatchWriter) requeueWrites(undone, rest []*pendingWrite) {
	for _, write := range undone {
		write.alone = true
	}
	if len(undone)+len(rest) > 0 {
		w.queue = slices.Concat(undone, rest, w.queue)
	}
}

// replaceCommitter answers the write whose transaction was ended, and goes on with all others on a new goroutine: the
// one that ran the write may never return.
func (w *BatchWriter) replaceCommitter(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.finished {
		return
	}
	b.finished = true
	at := min(b.position, len(b.writes)-1)
	w.requeueWrites(b.writes[:at], b.writes[at+1:])
	b.writes[at].err = fault.ErrTransactionEnded
	next := w.takeBatch()
	w.working.Go(func() { w.commitQueue(next) })
	close(b.writes[at].done) // last, as its caller counts until then
}

// beginWrite notes which write runs now. It returns false when the transaction was ended.
func (w *BatchWriter) beginWrite(b *batch, at int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.position = at
	return !b.finished
}

// runBatch runs the writes of a batch in one transaction, at least one of them. b.position says how far it came. A
// panic becomes an error, unless it comes after the commit.
func (w *BatchWriter) runBatch(b *batch) (err error) {
	committed := false
	defer func() {
		if p := recover(); p != nil { // this goroutine works for others, too
			w.app.Logger().Error("write", "committed", committed, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !committed {
				err = fmt.Errorf("panic: %v", p)
			}
		}
	}()
	pprof.Do(context.Background(), w.labels, func(context.Context) { err = w.runBatchLabelled(b, &committed) })
	return err
}

// runBatchLabelled does the work of runBatch under the writer's pprof labels: the goroutine belongs to one of the
// callers, and works for all of them.
func (w *BatchWriter) runBatchLabelled(b *batch, committed *bool) error {
	return w.app.RunInTransaction(func(tx core.App) error {
		db.OnTransactionEnded(tx, func() { w.replaceCommitter(b) })
		tx.TxInfo().OnComplete(func(failed error) error {
			*committed = failed == nil
			return nil
		})
		began := time.Now()
		for i, write := range b.writes {
			if !w.beginWrite(b, i) {
				return fault.ErrTransactionEnded
			}
			if i > 0 && time.Since(began) > w.batchTime {
				return nil
			}
			if err := write.work(tx); err != nil {
				return err
			}
		}
		if !w.beginWrite(b, len(b.writes)) {
			return fault.ErrTransactionEnded
		}
		return nil
	})
}
