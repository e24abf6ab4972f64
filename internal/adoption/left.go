package adoption

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/db"
)

// leftBehind is what a folder has of ours after we left, as a row of PocketBase's table of parameters.
type leftBehind struct {
	Fields   []string         `json:"fields"`   // ids of our fields of users
	Replaced []string         `json:"replaced"` // indexes of users that gave way to ours
	Batch    core.BatchConfig `json:"batch"`    // as the app had it
	Folders  []string         `json:"folders"`  // of the storage, whose files are still to be deleted
}

const leftID = "doubletap_left"

// note notes what users has of ours.
func (left *leftBehind) note(tx core.App, users *core.Collection, l Leaving) error {
	before, found, err := readStored(tx)
	if err != nil {
		return err
	}
	was, err := before.usersCollection()
	if err != nil {
		return err
	}
	for _, field := range users.Fields {
		shipped := l.Shipped.Fields.GetByName(field.GetName())
		if shipped != nil && !shipped.GetSystem() && was.Fields.GetByName(field.GetName()) == nil && !isAutodate(field) {
			left.Fields = append(left.Fields, field.GetId())
		}
	}
	if !found {
		return nil
	}
	has := func(name string) bool {
		return slices.ContainsFunc(users.Indexes, func(ddl string) bool { return dbutils.ParseIndex(ddl).IndexName == name })
	}
	for _, name := range replacedIndexes(was) {
		for _, ddl := range was.Indexes {
			if dbutils.ParseIndex(ddl).IndexName == name && (!has(name) || slices.Contains(l.Indexes, name)) {
				left.Replaced = append(left.Replaced, ddl)
			}
		}
	}
	return nil
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
