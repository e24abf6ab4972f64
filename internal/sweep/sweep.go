// Package sweep does work that grows with the data a little at a time, so that whoever wants to write meanwhile waits for
// milliseconds and not for all of it: what hangs on a deleted record, old rows, effects that reach thousands.
//
// A work begins in the transaction of its cause and does there what is soon done. A job, stored in the same transaction, does
// the rest in short transactions of its own; after a crash it goes on where it was.
package sweep

import (
	"context"
	"fmt"
	"maps"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/job"
)

// Subject is what a work is about: the parameters of its statements, and the payload of its job.
type Subject map[string]string

// Part is one kind of rows of a work.
type Part struct {
	// Do does up to most of the rows and returns how many it did; fewer than most mean that none is left. It must find those
	// that are left by looking, or keep in the subject where it is.
	Do func(tx core.App, on Subject, most int) (int, error)
	// Weight is what one of the rows costs, against one that a statement deletes with a hundred others; 0 is 1.
	Weight int
}

// Work is what follows from one thing, in parts that are done in their order.
type Work struct {
	Kind  string // of its job
	Parts []Part
}

// Begin does what the transaction has time for and leaves the rest to a job. Of each part it does the first rows whatever the
// time, as long as the transaction has rows left: what is small is done with its cause, on a busy machine too. A job more does no
// harm, so it has no key: one that runs may be past the rows that this is about.
func (w *Work) Begin(tx core.App, on Subject) error {
	if !tx.IsTransactional() {
		return tx.RunInTransaction(func(tx core.App) error { return w.Begin(tx, on) })
	}
	next, err := w.step(tx, on, budgetOf(tx), 0, true)
	if err != nil || next == len(w.Parts) {
		return err
	}
	return job.Add(tx, w.Kind, on)
}

// Run is the handler of the work's jobs.
func (w *Work) Run(ctx context.Context, app core.App, j *job.Job) error {
	var on Subject
	if err := j.Payload(&on); err != nil {
		return job.Bury(err)
	}
	return w.Finish(ctx, app, on)
}

// Finish does the work to its end in short transactions. A part of which nothing was left is not looked at again.
func (w *Work) Finish(ctx context.Context, app core.App, on Subject) error {
	part := 0
	return Steps(ctx, app, func(tx core.App) (bool, error) {
		b := budgetOf(tx)
		b.least = true
		after := maps.Clone(on) // the transaction may be undone
		if after == nil {
			after = Subject{}
		}
		next, err := w.step(tx, after, b, part, false)
		db.AfterCommit(tx, func() { on, part = after, next })
		return next == len(w.Parts), err
	})
}

// step does rows from a part on until the budget is spent or none is left; if asked, some of each part however late it is. It returns
// the part to go on with.
func (w *Work) step(tx core.App, on Subject, b *budget, from int, each bool) (next int, err error) {
	for next = from; next < len(w.Parts); next++ {
		part := w.Parts[next]
		weight := max(part.Weight, 1)
		b.least = b.least || each
		for {
			most := b.affords(weight)
			if most == 0 {
				return next, nil
			}
			n, err := part.Do(tx, on, most)
			if err != nil {
				return next, fmt.Errorf("%s, part %d, of %v: %w", w.Kind, next+1, on, err)
			}
			b.spend(n * weight)
			if n < most {
				break
			}
		}
	}
	return next, nil
}

// Pending is the SQL of the ids of records that are gone and whose rows are still being removed.
const Pending = `(SELECT coalesce(json_extract(payload, '$.id'), json_extract(payload, '$.user'), '') id FROM jobs
	WHERE (kind GLOB '*.gone' OR kind IN ('account.erase', 'notification.detach')) AND state IN ('ready', 'running'))`

// Delete is the part that deletes the rows of a table that meet a condition on the subject.
func Delete(table, condition string) Part {
	return statement(`DELETE FROM ` + table + some(table, condition))
}

// Update is the part that sets columns of such rows, so that they meet the condition no more.
func Update(table, set, condition string) Part {
	return statement(`UPDATE ` + table + ` SET ` + set + some(table, condition))
}

func some(table, condition string) string {
	return ` WHERE id IN (SELECT id FROM ` + table + ` WHERE ` + condition + ` LIMIT {:n})`
}

func statement(text string) Part {
	return Part{Do: func(tx core.App, on Subject, most int) (int, error) {
		n, err := db.Exec(tx, text, on.Params(most))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", text, err)
		}
		return int(n), nil
	}}
}

// Params are the subject's values for a statement, with the most rows as n.
func (on Subject) Params(most int) db.Params {
	params := db.Params{"n": most}
	for key, value := range on {
		params[key] = value
	}
	return params
}
