package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// Repair puts right what an examination found, in steps that leave the writer to others, and returns how many rows it mended. What
// fails keeps nothing else from being mended.
func (r *Result) Repair(ctx context.Context, app core.App, w ExamineOptions) (mended int64, err error) {
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
			wrong, rows, err = s.readPage(app, pageRows, w.Pause != nil)
		}
		if err != nil {
			return mended, errors.Join(append(failures, err)...)
		}
		n, err := r.mendRows(ctx, app, wrong)
		if mended += n; err != nil {
			failures = append(failures, err)
		}
		w.reportRows("repair "+r.Label(), int(mended))
	}
	return mended, errors.Join(failures...)
}

// mendRows mends rows, or all rows that have the values.
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
	}
	return mended, errors.Join(failures...)
}

// mendIDs puts rows right that are still broken when their transaction begins.
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

// maxRounds is how often everything is looked at again after repairs: one may bring to light what another one mends.
const maxRounds = 5

// RepairAll examines and repairs until nothing is found that can be repaired, and returns what the last examination found. done hears of
// each repair. What fails keeps nothing else from being repaired, and is tried once.
func RepairAll(ctx context.Context, app core.App, all []*Invariant, w ExamineOptions, done func(r *Result, mended int64, err error)) []*Result {
	given := map[string]bool{} // up on
	for round := 0; ; round++ {
		results := Examine(ctx, app, all, w)
		if round == maxRounds || ctx.Err() != nil {
			return results
		}
		if !repairOnce(ctx, app, results, w, given, done) {
			return results
		}
	}
}

// repairOnce repairs what was found broken, in order, and reports whether anything was mended.
func repairOnce(ctx context.Context, app core.App, results []*Result, w ExamineOptions, given map[string]bool, done func(r *Result, mended int64, err error)) (any bool) {
	whole := map[string]bool{} // mended for all invariants of the name at once
	for _, r := range results {
		if !r.IsBroken() || !r.IsRepairable() || given[r.Label()] || whole[r.Name] {
			continue
		}
		w.reportRows("repair "+r.Label(), 0)
		mended, err := r.Repair(ctx, app, w)
		whole[r.Name] = r.MendAll != nil
		given[r.Label()] = err != nil
		any = any || mended > 0
		done(r, mended, err)
	}
	return any
}
