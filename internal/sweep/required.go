package sweep

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// deletedByHand are the relations, by collection, whose rows are deleted with an account although no relation cascades to them.
var deletedByHand = map[string]string{"comments": "author"}

// CheckRequired returns PocketBase's refusal if a required relation of an owner's points at the record or at something that is deleted
// with it: the deletion could never end. Call it before anything is hidden or closed.
func CheckRequired(app core.App, record *core.Record) error {
	return checkRequired(app, record.Collection(), `{:record}`, dbx.Params{"record": record.Id}, true, nil)
}

// checkRequired checks what is deleted with the rows of a collection whose ids the SQL selects. Unless it is deep it leaves what is
// deleted with owners' records to PocketBase.
func checkRequired(app core.App, c *core.Collection, ids string, params dbx.Params, deep bool, path []string) error {
	path = append(slices.Clip(path), c.Id)
	references, err := referencesTo(app, c)
	if err != nil {
		return err
	}
	for _, r := range references {
		// it is enough if one of several that a row points at stays
		pointing := fmt.Sprintf("SELECT id FROM {{%s}} WHERE %s", r.from.Name, r.onlyCondition(ids))
		switch {
		case r.field.CascadeDelete || deletedByHand[r.from.Name] == r.field.Name:
			if slices.Contains(path, r.from.Id) || !deep && !r.ships() {
				continue
			}
			if err := checkRequired(app, r.from, pointing, params, deep, path); err != nil {
				return err
			}
		case r.field.Required:
			var id string
			switch found, err := db.Found(app.DB().NewQuery(pointing + " LIMIT 1").Bind(params).Row(&id)); {
			case err != nil:
				return fmt.Errorf("look whether %s.%s needs a record of %s: %w", r.from.Name, r.field.Name, c.Name, err)
			case found:
				return requiredError(r, id)
			}
		}
	}
	return nil
}

// requiredError is PocketBase's.
func requiredError(r reference, id string) error {
	return fmt.Errorf("the record cannot be deleted because it is part of a required reference in record %s (%s collection)", id, r.from.Name)
}
