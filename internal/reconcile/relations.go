package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/sweep"
)

// relationPointer is a relation field with the collection that it belongs to and the one that it points at. Its SQL
// calls the row t.
type relationPointer struct {
	from, to *core.Collection
	field    *core.RelationField
}

// relationInvariants returns an invariant for each relation field of each collection, also of owners' collections. The
// repair does what the deletion of the missing record would have done: it deletes the row if the relation cascades,
// otherwise it empties the field. Rows that are deleted with hooks come last, as hooks trust the relations of the rows
// that they read.
func relationInvariants(app core.App) (all []*Invariant, err error) {
	collections, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return nil, err
	}
	byID := map[string]*core.Collection{}
	for _, c := range collections {
		byID[c.Id] = c
	}
	var pointers []relationPointer
	for _, c := range collections {
		if collection.Describe(c.Name).IsView { // the relations of its rows are checked where they are stored
			continue
		}
		first := len(pointers)
		for _, field := range c.Fields {
			if relation, ok := field.(*core.RelationField); ok && byID[relation.CollectionId] != nil { // nil for a view, whose rows come and go
				pointers = append(pointers, relationPointer{from: c, to: byID[relation.CollectionId], field: relation})
			}
		}
		if first < len(pointers) {
			all = append(all, textInvariant(pointers[first:]))
		}
	}
	slices.SortStableFunc(pointers, func(a, b relationPointer) int { return cmp.Compare(a.hookRank(), b.hookRank()) })
	for _, p := range pointers {
		i := &Invariant{
			Check: "relations", Name: "relation", On: p.from.Name + "." + p.field.Name, Holds: "What a relation points at is there.", Cost: Hourly,
			Table: p.from.Name, Broken: p.danglingCondition(), Proved: slices.Contains(provenRelations, p.from.Name+"."+p.field.Name), Mend: p.mendFunc(),
		}
		if !p.field.IsMultiple() && !i.Proved {
			indexed, err := p.isIndexed(app)
			if err != nil {
				return nil, err
			}
			if indexed {
				i.Values = []string{p.field.Name}
			}
		}
		all = append(all, i)
	}
	return all, nil
}

// textInvariant returns the invariant about how the relations of a collection are stored. To SQL a BLOB is another value
// than the text of the same bytes, so that it points at nothing, and a client sees no difference.
func textInvariant(pointers []relationPointer) *Invariant {
	table := pointers[0].from.Name
	var conditions, texts []string
	proved := true
	for _, p := range pointers {
		conditions = append(conditions, fmt.Sprintf(`typeof(t.[[%s]]) = 'blob'`, p.field.Name))
		texts = append(texts, fmt.Sprintf(`[[%s]] = iif(typeof([[%[1]s]]) = 'blob', CAST([[%[1]s]] AS TEXT), [[%[1]s]])`, p.field.Name))
		proved = proved && slices.ContainsFunc(proofs[table].texts, func(text string) bool { return text == "t."+p.field.Name || text == "ifnull(t."+p.field.Name+", '')" })
	}
	return &Invariant{
		Check: "relations", Name: "text", On: table, Holds: "What a relation points at is named by a text.", Cost: Hourly, Table: table, Broken: strings.Join(conditions, " OR "), Proved: proved,
		Mend: mendByStatements(fmt.Sprintf(`UPDATE OR IGNORE {{%s}} SET %s WHERE id IN @ids`, table, strings.Join(texts, ", "))), // where there is the same edge already, this one is deleted as one of nothing
	}
}

// danglingCondition returns the SQL condition of rows that point at a record that does not exist.
func (p relationPointer) danglingCondition() string {
	if p.field.IsMultiple() {
		return fmt.Sprintf(`EXISTS (SELECT 1 FROM json_each(iif(json_valid(t.[[%s]]), t.[[%s]], '[]')) j WHERE NOT EXISTS (SELECT 1 FROM {{%s}} WHERE id = j.value) AND j.value NOT IN `+sweep.PendingIDs+`)`,
			p.field.Name, p.field.Name, p.to.Name)
	}
	under := "" // rows of deleted records are removed in steps, and may be half done
	if p.from.Name == "notification_events" {
		under = ` AND NOT EXISTS (SELECT 1 FROM ` + sweep.PendingIDs + `)`
	}
	return fmt.Sprintf(`t.[[%s]] != '' AND NOT EXISTS (SELECT 1 FROM {{%s}} o WHERE o.id = t.[[%s]]) AND t.[[%s]] NOT IN `+sweep.PendingIDs+under, p.field.Name, p.to.Name, p.field.Name, p.field.Name)
}

// isIndexed reports whether a full index begins with the field, so that each value needs one lookup, however many rows
// have it.
func (p relationPointer) isIndexed(app core.App) (bool, error) {
	var one int
	return db.QueryValue(app, &one, `SELECT 1 FROM pragma_index_list({:table}) l JOIN pragma_index_info(l.name) i WHERE NOT l.partial AND i.seqno = 0 AND i.name = {:field} LIMIT 1`,
		db.Params{"table": p.from.Name, "field": p.field.Name})
}

func (p relationPointer) mendFunc() func(tx core.App, ids []string) error {
	among := ` WHERE id IN @ids`
	switch name := p.from.Name + "." + p.field.Name; {
	case p.field.IsMultiple():
		return mendByStatements(fmt.Sprintf(`UPDATE {{%s}} AS t SET [[%s]] = (SELECT json_group_array(j.value) FROM json_each(t.[[%s]]) j WHERE EXISTS (SELECT 1 FROM {{%s}} WHERE id = j.value))`,
			p.from.Name, p.field.Name, p.field.Name, p.to.Name) + among)
	case name == "notification_events.notification": // the event prevents that a repeated like alerts again
		return mendByStatements(`UPDATE notification_events SET notification = ''` + among)
	case name == "comments.author": // a comment without an author becomes a tombstone
		return mendInTurn(unlikeComments, mendByStatements(`UPDATE comments SET author = '', text = '', deleted = 1`+among))
	case !p.field.CascadeDelete:
		return mendByStatements(fmt.Sprintf(`UPDATE {{%s}} SET [[%s]] = ''`, p.from.Name, p.field.Name) + among)
	case p.hookRank() > 0:
		return p.deleteRecords
	}
	return mendByDelete(p.from.Name, "id")
}

// hookRank returns 1 if a dangling row is deleted as a record, whose hooks delete its files, tell devices or are an owner's, otherwise
// 0.
func (p relationPointer) hookRank() int {
	name := p.from.Name + "." + p.field.Name
	if p.field.CascadeDelete && (hasFiles(p.from) || !collection.IsOurs(p.from.Name) || name == "notifications.post" || name == "notifications.comment") {
		return 1
	}
	return 0
}

// deleteRecords deletes the rows as records, with their hooks.
func (p relationPointer) deleteRecords(tx core.App, ids []string) error {
	for _, id := range ids {
		record, err := db.RequireRecord(tx, p.from.Name, id)
		if err != nil {
			return err
		}
		if err := tx.Delete(record); err != nil {
			return fmt.Errorf("delete %s: %w", id, err)
		}
	}
	return nil
}

func hasFiles(c *core.Collection) bool {
	return slices.ContainsFunc(c.Fields, func(field core.Field) bool { return field.Type() == core.FieldTypeFile })
}
