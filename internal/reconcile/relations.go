package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/sweep"
)

// pointer is a relation field and where it points; its SQL calls the row t.
type pointer struct {
	from, to *core.Collection
	field    *core.RelationField
}

// dangling are the rows that point at what is not there.
func (p pointer) dangling() string {
	if p.field.IsMultiple() {
		return fmt.Sprintf(`{{%s}} t WHERE json_valid(t.[[%s]]) AND EXISTS (SELECT 1 FROM json_each(t.[[%s]]) j WHERE NOT EXISTS (SELECT 1 FROM {{%s}} WHERE id = j.value))`,
			p.from.Name, p.field.Name, p.field.Name, p.to.Name)
	}
	under := "" // rows of what is gone go in steps, and may be met half-way
	if p.from.Name == "notification_events" {
		under = ` AND NOT EXISTS (SELECT 1 FROM ` + sweep.Pending + `)`
	}
	return fmt.Sprintf(`{{%s}} t WHERE t.[[%s]] != '' AND NOT EXISTS (SELECT 1 FROM {{%s}} o WHERE o.id = t.[[%s]]) AND t.[[%s]] NOT IN `+sweep.Pending+under,
		p.from.Name, p.field.Name, p.to.Name, p.field.Name, p.field.Name)
}

// pointers are all relations of all collections, an owner's too.
func pointers(app core.App) (all []pointer, err error) {
	collections, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return nil, err
	}
	byID := map[string]*core.Collection{}
	for _, c := range collections {
		byID[c.Id] = c
	}
	for _, c := range collections {
		for _, field := range c.Fields {
			if relation, ok := field.(*core.RelationField); ok && byID[relation.CollectionId] != nil { // nil: a view, whose rows come and go
				all = append(all, pointer{from: c, to: byID[relation.CollectionId], field: relation})
			}
		}
	}
	return all, nil
}

func lookRelations(app core.App, f *Found) error {
	all, err := pointers(app)
	if err != nil {
		return err
	}
	for _, p := range all {
		n, first, err := f.Some(app, p.dangling())
		if err != nil {
			return fmt.Errorf("%s.%s: %w", p.from.Name, p.field.Name, err)
		}
		f.Fail(n, "%s.%s of %d rows points at no %s, as of %s", p.from.Name, p.field.Name, n, p.to.Name, first)
	}
	return nil
}

// repairRelations does what the deletion of the missing record would have done: a row that goes with it goes,
// another one lets go of it. A row that goes may leave others behind, hence the rounds. Rows that go by their
// hooks come last in each, as hooks trust the relations of what they meet.
func repairRelations(tx core.App) (total int64, err error) {
	all, err := pointers(tx)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(all, func(a, b pointer) int { return cmp.Compare(a.hooked(), b.hooked()) })
	for n := int64(1); n > 0; total += n {
		n = 0
		for _, p := range all {
			m, err := p.repair(tx)
			if err != nil {
				return 0, fmt.Errorf("%s.%s: %w", p.from.Name, p.field.Name, err)
			}
			n += m
		}
	}
	return total, nil
}

func (p pointer) repair(tx core.App) (int64, error) {
	among := ` WHERE id IN (SELECT t.id FROM ` + p.dangling() + `)`
	switch name := p.from.Name + "." + p.field.Name; {
	case p.field.IsMultiple():
		return db.Exec(tx, fmt.Sprintf(`UPDATE {{%s}} AS t SET [[%s]] = (SELECT json_group_array(j.value) FROM json_each(t.[[%s]]) j WHERE EXISTS (SELECT 1 FROM {{%s}} WHERE id = j.value))`,
			p.from.Name, p.field.Name, p.field.Name, p.to.Name)+among, nil)
	case name == "notification_events.notification": // it is what keeps a repeated like from alerting again
		return db.Exec(tx, `UPDATE notification_events SET notification = ''`+among, nil)
	case name == "comments.author": // words of nobody become a tombstone
		if _, err := db.Exec(tx, `DELETE FROM comment_likes WHERE comment IN (SELECT t.id FROM `+p.dangling()+`)`, nil); err != nil {
			return 0, err
		}
		return db.Exec(tx, `UPDATE comments SET author = '', text = '', deleted = 1`+among, nil)
	case !p.field.CascadeDelete:
		return db.Exec(tx, fmt.Sprintf(`UPDATE {{%s}} SET [[%s]] = ''`, p.from.Name, p.field.Name)+among, nil)
	case p.hooked() > 0:
		return p.remove(tx)
	}
	return db.Exec(tx, fmt.Sprintf(`DELETE FROM {{%s}}`, p.from.Name)+among, nil)
}

// hooked is 1 where a dangling row goes as a record, whose hooks see to its files or tell devices, else 0.
func (p pointer) hooked() int {
	name := p.from.Name + "." + p.field.Name
	if p.field.CascadeDelete && (hasFiles(p.from) || name == "notifications.post" || name == "notifications.comment") {
		return 1
	}
	return 0
}

// remove deletes the dangling rows as records.
func (p pointer) remove(tx core.App) (int64, error) {
	var ids []string
	if err := db.Column(tx, &ids, `SELECT t.id FROM `+p.dangling(), nil); err != nil {
		return 0, err
	}
	for _, id := range ids {
		record := &core.Record{}
		if err := tx.RecordQuery(p.from).AndWhere(dbx.HashExp{"id": id}).One(record); err != nil {
			return 0, fmt.Errorf("find %s: %w", id, err)
		}
		if err := tx.Delete(record); err != nil {
			return 0, fmt.Errorf("delete %s: %w", id, err)
		}
	}
	return int64(len(ids)), nil
}

func hasFiles(c *core.Collection) bool {
	for _, field := range c.Fields {
		if field.Type() == core.FieldTypeFile {
			return true
		}
	}
	return false
}
