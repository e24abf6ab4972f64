// Package sweep does work that grows with the data in small steps, so that others who want to write wait for
// milliseconds and not for all of it: removing what belongs to a deleted record, deleting old rows, effects on
// thousands of rows.
//
// A work begins in the transaction of its cause and does there what is soon done. A job, stored in the same transaction, does
// the rest in short transactions of its own; after a crash it goes on where it was. A row that cannot be done keeps no other from being
// done: the job goes on without it, fails in the end with the row's id, and tries it again as other jobs are tried again. A part whose rows
// are needed to find that row waits for it.
package sweep

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// Subject is what a work is about: the parameters of its statements, and the payload of its job.
type Subject map[string]string

// Part is one kind of rows of a work.
type Part struct {
	// From is the SQL of the rows that are to be done, "likes WHERE post = {:id}". It has a WHERE without an OR at its outermost. What is
	// done must not be among them any more; a part that leaves rows as they are keeps in the subject where it is.
	From string
	// Key is the column that tells the rows apart; "" is id.
	Key string
	// Order is an ORDER BY or GROUP BY; "" for any order.
	Order string
	// Last says that rows of parts before it are found by its rows: it waits while one of those was passed over.
	Last bool
	// Optional says that the table, which From begins with, is not in every folder.
	Optional bool
	// Weight is what one of the rows costs, against one that a statement deletes with a hundred others; 0 is 1.
	Weight int
	// Do does the rows with these keys.
	Do func(tx core.App, on Subject, keys []string) error
}

// find returns up to most rows that are to be done, in their order; only those among the keys, unless these are nil.
func (p Part) find(app core.App, on Subject, most int, among []string) (keys []string, err error) {
	if p.Optional {
		if there, err := db.HasTable(app, strings.Fields(p.From)[0]); err != nil || !there {
			return nil, err
		}
	}
	key, params := cmp.Or(p.Key, "id"), on.SQLParams(app)
	statement := `SELECT ` + key + ` FROM ` + p.From
	if among != nil {
		statement += ` AND ` + key + ` IN (SELECT value FROM json_each({:among}))`
		params["among"] = db.JSONList(among)
	}
	params["most"] = most
	err = db.QueryColumn(app, &keys, statement+` `+p.Order+` LIMIT {:most}`, params)
	return keys, err
}

// Work is what follows from one cause, in parts that are done in order.
type Work struct {
	Kind        string // of its job
	Parts       []Part
	Concurrency int // how many works of the kind are done at once; 0 is 1
}

// Begin does as much as the transaction has time for, and stores a job for the remaining rows. It does the first rows
// of each part even when the time is over, as long as the transaction may change more rows: so small works are done
// together with their cause, on a busy machine too. The job has no dedupe key: one that is running may already be past
// the rows that this is about, and one job too many does no harm.
func (w *Work) Begin(tx core.App, on Subject) error {
	if !tx.IsTransactional() {
		return tx.RunInTransaction(func(tx core.App) error { return w.Begin(tx, on) })
	}
	s := step{work: w, tx: tx, on: on, budget: budgetOf(tx), each: true}
	if _, err := s.run(); err != nil || s.part == len(w.Parts) {
		return err
	}
	return job.Enqueue(tx, w.Kind, on)
}

// HandleJob is the handler of the jobs that Begin stores.
func (w *Work) HandleJob(ctx context.Context, app core.App, j *job.Job) error {
	var on Subject
	if err := j.ReadPayload(&on); err != nil {
		return err
	}
	return w.Finish(ctx, app, on)
}

// step is what one transaction does of a work.
type step struct {
	work   *Work
	tx     core.App
	on     Subject
	budget *budget
	part   int      // to go on with
	each   bool     // some rows of each part are done however late it is
	failed bool     // a row of the work was passed over
	among  []string // the keys of the rows that may be done, unless nil
	keys   []string // of the rows that are being done
}

// run does rows until the budget is spent or none is left. It reports whether none is left among the keys.
func (s *step) run() (exhausted bool, err error) {
	b := s.budget
	for ; s.part < len(s.work.Parts); s.part++ {
		part := s.work.Parts[s.part]
		if part.Last && s.failed {
			continue
		}
		weight := max(part.Weight, 1)
		b.guaranteed = b.guaranteed || s.each
		for {
			most := b.affordableRows(weight)
			if most == 0 {
				return false, nil
			}
			if s.keys, err = part.find(s.tx, s.on, most, s.among); err == nil && len(s.keys) > 0 {
				err = part.Do(s.tx, s.on, s.keys)
			}
			if err != nil {
				return false, fmt.Errorf("%s, part %d, of %v: %w", s.work.Kind, s.part+1, s.on, err)
			}
			b.spendRows(len(s.keys) * weight)
			if len(s.keys) < most {
				break
			}
		}
		if s.among != nil {
			return true, nil
		}
	}
	return false, nil
}

// PendingIDs is the SQL that selects the ids of deleted records whose rows are still being removed.
var PendingIDs = `(SELECT coalesce(json_extract(payload, '$.id'), json_extract(payload, '$.user'), '') id FROM jobs
	WHERE kind IN ('` + strings.Join(append(collection.GoneJobs(), CascadeJob), `', '`) + `') AND state IN ('ready', 'running'))`

// DeletePart returns the part that deletes the rows of a table that meet a condition on the subject.
func DeletePart(table, condition string) Part {
	return Part{From: table + ` WHERE (` + condition + `)`, Do: func(tx core.App, _ Subject, keys []string) error {
		_, err := DeleteRows(tx, table, AmongIDs, db.Params{"ids": db.JSONList(keys)})
		return err
	}}
}

// AmongIDs is the SQL condition of the rows whose ids are in the JSON list {:ids}.
const AmongIDs = `id IN (SELECT value FROM json_each({:ids}))`

// UpdatePart returns the part that sets columns of such rows. After that they must not meet the condition any more.
func UpdatePart(table, set, condition string) Part {
	text := `UPDATE ` + table + ` SET ` + set + ` WHERE ` + AmongIDs
	return Part{From: table + ` WHERE (` + condition + `)`, Do: func(tx core.App, on Subject, keys []string) error {
		params := on.SQLParams(tx)
		params["ids"] = db.JSONList(keys)
		if _, err := db.Exec(tx, text, params); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		return nil
	}}
}

// WhenOthersAreDone returns the part as one that waits for the rows of the parts before it, see Last.
func (p Part) WhenOthersAreDone() Part {
	p.Last = true
	return p
}

// Heavier returns the part with rows of the weight.
func (p Part) Heavier(weight int) Part {
	p.Weight = weight
	return p
}

// Records is the part that does something with records that meet a condition, one by one with their hooks.
func Records(collection, condition string, do func(tx core.App, record *core.Record) error) Part {
	return Part{From: collection + ` WHERE (` + condition + `)`, Weight: recordWeight, Do: func(tx core.App, _ Subject, ids []string) error {
		for _, id := range ids {
			record, err := db.FindRecord(tx, collection, id)
			if err != nil {
				return err
			}
			if record == nil { // it went with one before it
				continue
			}
			if err := do(tx, record); err != nil {
				return fmt.Errorf("%s %s: %w", collection, id, err)
			}
		}
		return nil
	}}
}

// recordWeight is for records that go one by one with their hooks.
const recordWeight = 40

// DeleteRecord deletes a record with its hooks.
func DeleteRecord(tx core.App, record *core.Record) error { return tx.Delete(record) }

// SQLParams are the subject's values for a statement, and the time as now. Where a work keeps in the subject where it is, it begins
// after "".
func (on Subject) SQLParams(tx core.App) db.Params {
	params := db.Params{"now": clock.Timestamp(tx), "after": ""}
	for key, value := range on {
		params[key] = value
	}
	return params
}
