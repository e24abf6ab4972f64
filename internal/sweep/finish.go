package sweep

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Finish does the work to its end in short transactions. A part of which nothing was left is not looked at again. Rows that fail
// are passed over, and named by the error that Finish returns when all others are done.
func (w *Work) Finish(ctx context.Context, app core.App, on Subject) error {
	f := finishing{work: w, app: app, on: on, failed: map[string]bool{}}
	for {
		if err := db.Steps(ctx, app, f.step, f.passOver); err != nil {
			return errors.Join(f.failures.Err(), err)
		}
		if f.part == len(w.Parts) {
			return f.failures.Err()
		}
		if err := f.findOthers(); err != nil {
			return errors.Join(f.failures.Err(), err)
		}
	}
}

// finishing is one try to finish a work.
//
// Once a row has failed, the rows are looked for outside of the transactions, a page at a time, as those that failed are found again each
// time: however many they are, no transaction looks past them.
type finishing struct {
	work     *Work
	app      core.App
	on       Subject
	part     int // to go on with
	failed   map[string]bool
	failures db.Failures
	page     []string // the keys of rows that are to be done; it is nil while no row has failed
	last     step
}

// step does rows in a transaction. It is done when the work is, or when a page of rows is needed.
func (f *finishing) step(tx core.App, most int) (done bool, err error) {
	if len(f.failed) > 0 && len(f.page) == 0 {
		return true, nil
	}
	b := budgetOf(tx)
	if b.guaranteed, b.most = true, min(most, maxStatementRows); most == 1 {
		b.rowsLeft = 1
	}
	after := Subject{} // of its own, as the transaction may be undone
	maps.Copy(after, f.on)
	f.last = step{work: f.work, tx: tx, on: after, budget: b, part: f.part, failed: len(f.failed) > 0}
	if f.page != nil {
		f.last.among = f.page[:min(len(f.page), maxStatementRows)]
	}
	exhausted, err := f.last.run()
	if err != nil {
		return false, err
	}
	db.AfterCommit(tx, func() {
		f.on, f.part = after, f.last.part
		if exhausted {
			f.page = f.page[len(f.last.among):]
		}
	})
	return f.last.part == len(f.work.Parts), nil
}

// passOver has the work go on without the row that failed alone.
func (f *finishing) passOver(err error) error {
	if len(f.last.keys) == 0 {
		return err
	}
	key := f.last.keys[0]
	f.failures.Add(key, err)
	f.failed[key] = true
	f.page = slices.DeleteFunc(f.page, func(other string) bool { return other == key })
	return nil
}

// minPageRows is how many rows findOthers looks for at least.
const minPageRows = 500

// findOthers finds rows of the part that have not failed, or goes on to the next part if there are none.
func (f *finishing) findOthers() error {
	part := f.work.Parts[f.part]
	if part.Last {
		f.part++
		return nil
	}
	found, err := part.find(f.app, f.on, 2*len(f.failed)+minPageRows, nil)
	if err != nil {
		return err
	}
	f.page = slices.DeleteFunc(found, func(key string) bool { return f.failed[key] })
	if len(f.page) == 0 {
		f.part++
	}
	return nil
}
