package sweep

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// reference is a relation field that points at a collection.
type reference struct {
	from  *core.Collection
	field *core.RelationField
}

// referencesTo returns the relations to a collection, in the order in which PocketBase follows them.
func referencesTo(app core.App, to *core.Collection) (all []reference, err error) {
	fields, err := app.FindCachedCollectionReferences(to)
	if err != nil {
		return nil, fmt.Errorf("find the relations to %s: %w", to.Name, err)
	}
	for from, some := range fields {
		for _, f := range some {
			if field, ok := f.(*core.RelationField); ok && !from.IsView() {
				all = append(all, reference{from, field})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reference) int { return cmp.Compare(a.from.Name, b.from.Name) })
	return all, nil
}

// ownersReferencesTo returns those of the relations that no work of ours follows. An owner may have added some to a collection of ours.
func ownersReferencesTo(app core.App, to *core.Collection) ([]reference, error) {
	all, err := referencesTo(app, to)
	if collection.IsOurs(to.Name) {
		all = slices.DeleteFunc(all, reference.ships)
	}
	return all, err
}

// ships reports whether the relation is of the product.
func (r reference) ships() bool { return collection.ShipsRelation(r.from.Name, r.field.Name) }

// pointingCondition returns the SQL condition of the rows that point at one of the ids, which are an SQL list.
func (r reference) pointingCondition(ids string) string {
	if !r.field.IsMultiple() {
		return fmt.Sprintf("[[%s]] IN (%s)", r.field.Name, ids)
	}
	return fmt.Sprintf("EXISTS (SELECT 1 FROM %s WHERE value IN (%s))", dbutils.JSONEach(r.from.Name+"."+r.field.Name), ids)
}

// onlyCondition returns the SQL condition of those of them that point at nothing else.
func (r reference) onlyCondition(ids string) string {
	if !r.field.IsMultiple() {
		return r.pointingCondition(ids)
	}
	return r.pointingCondition(ids) + fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s WHERE value NOT IN (%s))", dbutils.JSONEach(r.from.Name+"."+r.field.Name), ids)
}

// pointer is a row that points at records.
type pointer struct {
	Row  int64  `db:"row"`
	ID   string `db:"id"`
	Only bool   `db:"only"` // it points at nothing else
}

// find returns up to n rows behind the row after that point at one of the ids.
func (r reference) find(app core.App, ids []string, after int64, n int) (found []pointer, err error) {
	const listed = `SELECT value FROM json_each({:ids})`
	err = db.QueryAll(app, &found, fmt.Sprintf(`SELECT rowid AS row, id, (%s) AS only FROM {{%s}} WHERE rowid > {:after} AND %s ORDER BY rowid LIMIT {:n}`,
		r.onlyCondition(listed), r.from.Name, r.pointingCondition(listed)), db.Params{"ids": db.JSONList(ids), "after": after, "n": n})
	if err != nil {
		return nil, fmt.Errorf("find %s by %s: %w", r.from.Name, r.field.Name, err)
	}
	return found, nil
}

// findTargets returns those of the ids at which a row points.
func (r reference) findTargets(app core.App, ids []string) (targets []string, err error) {
	value := fmt.Sprintf("SELECT [[%s]] FROM {{%s}}", r.field.Name, r.from.Name)
	if r.field.IsMultiple() {
		value = fmt.Sprintf("SELECT j.value FROM {{%s}}, %s j", r.from.Name, dbutils.JSONEach(r.from.Name+"."+r.field.Name))
	}
	err = db.QueryColumn(app, &targets, `SELECT value FROM json_each({:ids}) WHERE value IN (`+value+`)`, db.Params{"ids": db.JSONList(ids)})
	if err != nil {
		return nil, fmt.Errorf("find what %s point at by %s: %w", r.from.Name, r.field.Name, err)
	}
	return targets, nil
}

// idsOf returns the ids of rows.
func idsOf(found []pointer) []string {
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.ID
	}
	return ids
}

// remove does what PocketBase does with a record that points at deleted ones: it deletes it or takes their ids out of it.
func (r reference) remove(tx core.App, ids []string, id string) error {
	record, err := db.FindRecord(tx, r.from.Id, id)
	if err != nil || record == nil {
		return err
	}
	all := record.GetStringSlice(r.field.Name)
	left := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(ids, id) })
	switch {
	case len(left) == len(all):
		return nil
	case len(left) == 0 && r.field.CascadeDelete:
		return tx.Delete(record)
	case len(left) == 0 && r.field.Required:
		return requiredError(r, id)
	}
	record.Set(r.field.Name, left)
	return tx.SaveNoValidate(record) // as PocketBase does: what another relation of it points at may be gone too
}
