package adoption

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// leftBehind is what a folder has of ours after we left, as a row of PocketBase's table of parameters.
type leftBehind struct {
	Fields      []string          `json:"fields"`      // ids of our fields of users
	Replaced    []string          `json:"replaced"`    // indexes of users that gave way to ours
	Batch       core.BatchConfig  `json:"batch"`       // as the app had it
	Collections []leftCollection  `json:"collections"` // ours: a name alone may be the app's own by now
	Tables      map[string]string `json:"tables"`      // ours that are no collections, with their SQL
	AuthRule    *leftRule         `json:"authRule"`    // nil if nothing was added to it
	Dropped     bool              `json:"dropped"`     // nothing is kept, and only Folders are to be deleted
	Folders     []string          `json:"folders"`     // of the storage, whose files are still to be deleted
}

// leftCollection is a collection of ours. PocketBase makes the id of the name, so that another one may have it later.
type leftCollection struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created string `json:"created"`
}

// leftRule is a rule that we have added to.
type leftRule struct {
	Before  *string `json:"before"`
	Written string  `json:"written"`
}

const leftID = "doubletap_left"

// noteUsers notes what users has of ours, and was had not.
func (left *leftBehind) noteUsers(users, was *core.Collection, l Leaving) {
	for _, field := range users.Fields {
		shipped := l.Shipped.Fields.GetByName(field.GetName())
		if shipped != nil && !shipped.GetSystem() && was.Fields.GetByName(field.GetName()) == nil && !isAutodate(field) {
			left.Fields = append(left.Fields, field.GetId())
		}
	}
	for _, name := range replacedIndexes(was) {
		for _, ddl := range was.Indexes {
			if dbutils.ParseIndex(ddl).IndexName == name && (!hasIndex(users, name) || slices.ContainsFunc(l.Indexes, func(ours string) bool { return strings.EqualFold(ours, name) })) {
				left.Replaced = append(left.Replaced, ddl)
			}
		}
	}
}

func hasIndex(c *core.Collection, name string) bool {
	return slices.ContainsFunc(c.Indexes, func(ddl string) bool { return strings.EqualFold(dbutils.ParseIndex(ddl).IndexName, name) })
}

// noteNames notes the collections and tables that are ours, of a folder in which nothing else can have their names.
func (left *leftBehind) noteNames(tx core.App) error {
	all, err := tx.FindAllCollections()
	if err != nil {
		return fmt.Errorf("read the collections: %w", err)
	}
	for _, c := range all {
		if c.Name != "users" && collection.IsOurs(c.Name) {
			left.Collections = append(left.Collections, leftCollection{c.Id, c.Name, c.Created.String()})
		}
	}
	left.Tables, err = readTables(tx)
	return err
}

// readTables returns the SQL of the tables that have the names of our otherTables.
func readTables(app core.App) (map[string]string, error) {
	tables, name, text := map[string]string{}, "", ""
	err := db.QueryEach(app, `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name IN (SELECT value FROM json_each({:names}))`,
		db.Params{"names": db.JSONList(otherTables)}, func() { tables[name] = text }, &name, &text)
	if err != nil {
		return nil, fmt.Errorf("read the tables that are no collections: %w", err)
	}
	return tables, nil
}

// has reports whether a collection is the very one that was noted.
func (left *leftBehind) has(c *core.Collection) bool {
	return slices.Contains(left.Collections, leftCollection{c.Id, c.Name, c.Created.String()})
}

// holds reports whether what has the name is what was noted, be it a collection or not.
func (left *leftBehind) holds(app core.App, name string) (bool, error) {
	c, found, err := db.Optional(app.FindCollectionByNameOrId(name))
	if err != nil {
		return false, fmt.Errorf("find the collection %s: %w", name, err)
	}
	if found {
		return left.has(c), nil
	}
	now, err := readTables(app)
	return now[name] != "" && now[name] == left.Tables[name], err
}

func isAutodate(field core.Field) bool { return field.Type() == core.FieldTypeAutodate }

// names returns the names of our fields of users.
func (left *leftBehind) names(users *core.Collection) (names []string) {
	for _, id := range left.Fields {
		if field := users.Fields.GetById(id); field != nil {
			names = append(names, field.GetName())
		}
	}
	return names
}

// readParam reads a row of PocketBase's table of parameters that is ours.
func readParam(app core.App, id string, value any) (found bool, err error) {
	if !app.HasTable("_params") {
		return false, nil
	}
	var text string
	if found, err = db.QueryValue(app, &text, `SELECT value FROM _params WHERE id = {:id}`, db.Params{"id": id}); err != nil || !found {
		return false, err
	}
	if err := json.Unmarshal([]byte(text), value); err != nil {
		return false, fmt.Errorf("read %s: %w", id, err)
	}
	return true, nil
}

func storeParam(tx core.App, id string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s as JSON: %w", id, err)
	}
	_, err = db.Exec(tx, `INSERT INTO _params (id, value) VALUES ({:id}, {:value}) ON CONFLICT (id) DO UPDATE SET value = excluded.value`, db.Params{"id": id, "value": string(text)})
	if err != nil {
		return fmt.Errorf("store %s: %w", id, err)
	}
	return nil
}
