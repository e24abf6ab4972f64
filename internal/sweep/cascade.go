package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// CascadeJob is the kind of the job that does for owners' records what PocketBase does in the transaction of a deletion: those whose
// relation cascades are deleted, the others lose the relation, each with its hooks and files.
const CascadeJob = "cascade"

// deletedRecord is the payload of the job.
type deletedRecord struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

// CascadesAtOnce reports whether PocketBase may itself follow owners' relations when it deletes the record in this transaction, as few
// records point at it. Otherwise it stores the job that does so. A required relation that forbids the deletion is an error.
func CascadesAtOnce(tx core.App, record *core.Record) (bool, error) {
	few, err := hasFewPointers(tx, record)
	if err != nil {
		return false, err
	}
	if err := checkRequired(tx, record.Collection(), `{:record}`, db.Params{"record": record.Id}, !few, nil); err != nil || few {
		return few, err
	}
	return false, job.Enqueue(tx, CascadeJob, deletedRecord{record.Collection().Name, record.Id})
}

// hasFewPointers reports whether the owners' records that a deletion concerns are no more than the transaction may still change.
func hasFewPointers(tx core.App, record *core.Record) (bool, error) {
	type level struct {
		collection *core.Collection
		ids        []string
	}
	b := budgetOf(tx)
	found, most := 0, max(0, b.rowsLeft)/recordWeight
	for levels := []level{{record.Collection(), []string{record.Id}}}; len(levels) > 0; levels = levels[1:] {
		references, err := ownersReferencesTo(tx, levels[0].collection)
		if err != nil {
			return false, err
		}
		for _, r := range references {
			pointers, err := r.find(tx, levels[0].ids, math.MinInt64, most-found+1)
			if err != nil {
				return false, err
			}
			if found += len(pointers); found > most {
				return false, nil
			}
			if r.field.CascadeDelete && len(pointers) > 0 {
				levels = append(levels, level{r.from, idsOf(pointers)})
			}
		}
	}
	b.spendRows(found * recordWeight)
	return true, nil
}

// DeleteRows deletes the rows of a table of ours that meet a condition, by SQL and without hooks, and returns their ids. It is the one
// place that does so, as owners' records that point at them have to follow.
func DeleteRows(tx core.App, table, condition string, params db.Params) (ids []string, err error) {
	if err := db.QueryColumn(tx, &ids, `DELETE FROM `+table+` WHERE `+condition+` RETURNING id`, params); err != nil {
		return nil, fmt.Errorf("delete rows of %s: %w", table, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return ids, CascadeFromRows(tx, table, ids)
}

// CascadeFromRows stores a job for each of the deleted rows of a table of ours at which an owner's record points. Call it where a trigger
// deletes them; DeleteRows does so itself.
func CascadeFromRows(tx core.App, table string, ids []string) error {
	c, err := tx.FindCachedCollectionByNameOrId(table)
	if err != nil {
		return fmt.Errorf("find the collection %s: %w", table, err)
	}
	references, err := ownersReferencesTo(tx, c)
	if err != nil || len(references) == 0 {
		return err
	}
	pointedAt := map[string]bool{}
	for _, r := range references { // one look for all rows, as an owner's relation may have no index
		targets, err := r.findTargets(tx, ids)
		if err != nil {
			return err
		}
		for _, id := range targets {
			pointedAt[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(pointedAt)) {
		if err := job.Enqueue(tx, CascadeJob, deletedRecord{table, id}); err != nil {
			return err
		}
	}
	return nil
}

// HandleCascade is the handler of the job. A record that an owner's hook keeps prevents no other from going: the job fails in the end,
// names it, and is tried again.
func HandleCascade(ctx context.Context, app core.App, j *job.Job) error {
	var of deletedRecord
	if err := j.ReadPayload(&of); err != nil {
		return err
	}
	c, found, err := db.Optional(app.FindCachedCollectionByNameOrId(of.Collection))
	if err != nil || !found {
		return err
	}
	again, err := db.FindRecord(app, of.Collection, of.ID)
	if err != nil || again != nil { // an edge was stored anew, under the same id: what points at it is its own
		return err
	}
	following := cascade{ctx: ctx, app: app, leaving: map[string]bool{}}
	err = following.follow(c, []string{of.ID})
	return errors.Join(following.failures.Err(), err)
}

// cascade is what one job does.
type cascade struct {
	ctx      context.Context
	app      core.App
	failures db.Failures
	leaving  map[string]bool // records, by collection and id, that go once nothing points at them: they may point at each other
}

// pageRows is how many rows are looked for at a time.
const pageRows = 100

// follow deletes or changes the owners' records that point at records of a collection. It finds them outside of any transaction, as an
// owner's relation may have no index. What points at a record goes before it, so that PocketBase finds nothing more to cascade to.
func (c *cascade) follow(to *core.Collection, ids []string) error {
	references, err := ownersReferencesTo(c.app, to)
	if err != nil {
		return err
	}
	for _, r := range references {
		for after := int64(math.MinInt64); ; {
			page, err := r.find(c.app, ids, after, pageRows)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Row
			page = slices.DeleteFunc(page, func(p pointer) bool { return c.leaving[r.from.Id+p.ID] })
			if err := c.removePage(r, ids, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// removePage removes the references of rows to the ids, after all that points at those rows which are deleted.
func (c *cascade) removePage(r reference, ids []string, page []pointer) error {
	if r.field.CascadeDelete {
		going := idsOf(slices.DeleteFunc(slices.Clone(page), func(p pointer) bool { return !p.Only }))
		for _, id := range going {
			c.leaving[r.from.Id+id] = true
		}
		if err := c.follow(r.from, going); err != nil {
			return err
		}
		for _, id := range going {
			delete(c.leaving, r.from.Id+id)
		}
	}
	if len(page) == 0 {
		return nil
	}
	pace, from := db.PaceOf(c.app), 0
	return db.Steps(c.ctx, c.app, func(tx core.App, most int) (bool, error) {
		began, next := time.Now(), from
		for next < len(page) && next-from < max(1, most/recordWeight) && (next == from || time.Since(began) < pace.Time) {
			if err := r.remove(tx, ids, page[next].ID); err != nil {
				return false, err
			}
			next++
		}
		db.AfterCommit(tx, func() { from = next })
		return next == len(page), nil
	}, func(err error) error {
		c.failures.Add(r.from.Name+" "+page[from].ID, err)
		from++
		return nil
	})
}
