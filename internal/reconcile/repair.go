package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Repair repairs what an examination found, in short transactions so that others can write, and returns how many rows
// it mended. After a failure it continues with the other rows.
func (r *Result) Repair(ctx context.Context, app core.App, o ExamineOptions) (mended int64, err error) {
	if r.MendAll != nil {
		return r.MendAll(ctx, app)
	}
	if r.Mend == nil || !r.IsBroken() {
		return 0, nil
	}
	if len(r.known) <= maxKnown {
		return r.mendRows(ctx, app, r.known)
	}
	s := &scan{table: r.Table, values: r.Values, invariants: []*Invariant{r.Invariant}}
	var failures []error
	for rows := pageRows; rows == pageRows; {
		var wrong []brokenRow
		if err = ctx.Err(); err == nil {
			wrong, rows, err = s.readPage(app, nil, pageRows, o.Pause != nil)
		}
		if err != nil {
			return mended, errors.Join(append(failures, err)...)
		}
		n, err := r.mendRows(ctx, app, wrong)
		if mended += n; err != nil {
			failures = append(failures, err)
		}
		o.reportRows("repair "+r.Label(), int(mended))
	}
	return mended, errors.Join(failures...)
}

// mendRows mends the rows. If the invariant has Values, it mends all rows that have the same values.
func (i *Invariant) mendRows(ctx context.Context, app core.App, wrong []brokenRow) (mended int64, err error) {
	if len(i.Values) == 0 {
		ids := make([]string, len(wrong))
		for at, b := range wrong {
			ids[at] = b.ID
		}
		return i.mendIDs(ctx, app, ids)
	}
	var failures []error
	for _, b := range wrong {
		n, err := i.mendValues(ctx, app, b.Key)
		if mended += n; err != nil {
			failures = append(failures, err)
		}
	}
	return mended, errors.Join(failures...)
}

func (i *Invariant) mendValues(ctx context.Context, app core.App, values []any) (mended int64, err error) {
	p, condition := db.Params{"n": pageRows}, ""
	for at, column := range i.Values {
		name := fmt.Sprint("value", at)
		p[name] = values[at]
		condition += " AND [[" + column + "]] = {:" + name + "}"
	}
	var failures []error
	after := int64(math.MinInt64)
	for more := true; more; {
		var ids []string
		var id string
		p["after"] = after
		err := db.QueryEach(app, `SELECT id, rowid FROM {{`+i.Table+`}} WHERE rowid > {:after}`+condition+` ORDER BY rowid LIMIT {:n}`, p, func() { ids = append(ids, id) }, &id, &after)
		if err != nil {
			return mended, errors.Join(append(failures, err)...)
		}
		more = len(ids) == pageRows
		n, err := i.mendIDs(ctx, app, ids)
		if mended += n; err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil || errors.Is(err, db.ErrStopping) {
			break // the rest comes with the next run
		}
	}
	return mended, errors.Join(failures...)
}

// mendIDs mends those of the rows that are still broken when their transaction begins.
func (i *Invariant) mendIDs(ctx context.Context, app core.App, ids []string) (mended int64, err error) {
	_, err = db.RunInSteps(ctx, app, ids, func(tx core.App, some []string) error {
		p := conditionParams(tx)
		p["ids"] = db.JSONList(some)
		var still []string
		err := db.QueryColumn(tx, &still, `SELECT t.id FROM {{`+i.Table+`}} t WHERE t.id IN (SELECT value FROM json_each({:ids})) AND (`+i.Broken+`)`, p)
		if err != nil || len(still) == 0 {
			return err
		}
		if err := i.Mend(tx, still); err != nil {
			return err
		}
		db.AfterCommit(tx, func() { mended += int64(len(still)) })
		return nil
	})
	if err != nil {
		err = fmt.Errorf("repair %s: %w", i.Label(), err)
	}
	return mended, err
}

// maxRounds is how often all is examined again after repairs, as one repair may reveal what another one has to mend.
const maxRounds = 5

// RepairAll examines and repairs until it finds nothing that can be repaired, and returns the results of the last
// examination. It calls done after each repair. After a failure it continues with the other invariants, and does not
// try the failed one again.
func RepairAll(ctx context.Context, app core.App, all []*Invariant, o ExamineOptions, done func(r *Result, mended int64, err error)) []*Result {
	gaveUp := map[string]bool{} // the invariants whose repair failed, by label
	for round := 0; ; round++ {
		results := Examine(ctx, app, all, o)
		if round == maxRounds || ctx.Err() != nil {
			return results
		}
		if !repairOnce(ctx, app, results, o, gaveUp, done) {
			return results
		}
	}
}

// repairOnce repairs what was found broken, in order, and reports whether it mended any row.
func repairOnce(ctx context.Context, app core.App, results []*Result, o ExamineOptions, gaveUp map[string]bool, done func(r *Result, mended int64, err error)) (any bool) {
	whole := map[string]bool{} // invariants whose MendAll has mended all tables at once, by name
	for _, r := range results {
		if !r.IsBroken() || !r.IsRepairable() || gaveUp[r.Label()] || whole[r.Name] {
			continue
		}
		o.reportRows("repair "+r.Label(), 0)
		mended, err := r.Repair(ctx, app, o)
		whole[r.Name] = r.MendAll != nil
		gaveUp[r.Label()] = err != nil
		any = any || mended > 0
		done(r, mended, err)
	}
	return any
}
