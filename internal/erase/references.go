package erase

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/db"
)

// deletedByHand are the relations, by collection, whose rows AccountWork deletes although no relation cascades to them.
var deletedByHand = map[string]string{"comments": "author"}

// CheckNotRequired returns PocketBase's refusal if an owner's required relation points at the account or at something
// that is deleted with it: erasing it could never end. Call it before the account is closed.
func CheckNotRequired(app core.App, user *core.Record) error {
	return checkReferences(app, user.Collection(), `{:user}`, dbx.Params{"user": user.Id}, nil)
}

// checkReferences checks what is deleted with the rows of a collection whose ids the SQL selects.
func checkReferences(app core.App, c *core.Collection, ids string, params dbx.Params, path []string) error {
	path = append(slices.Clip(path), c.Id)
	references, err := app.FindCachedCollectionReferences(c)
	if err != nil {
		return fmt.Errorf("find the relations to %s: %w", c.Name, err)
	}
	for from, fields := range references {
		if from.IsView() {
			continue
		}
		for _, f := range fields {
			field, ok := f.(*core.RelationField)
			if !ok {
				continue
			}
			pointing := fmt.Sprintf("SELECT id FROM {{%s}} WHERE [[%s]] IN (%s)", from.Name, field.Name, ids)
			if field.IsMultiple() { // it is enough if one of several stays
				each := dbutils.JSONEach(from.Name + "." + field.Name)
				pointing = fmt.Sprintf("SELECT id FROM {{%s}} WHERE EXISTS (SELECT 1 FROM %s WHERE value IN (%s)) AND NOT EXISTS (SELECT 1 FROM %s WHERE value NOT IN (%s))",
					from.Name, each, ids, each, ids)
			}
			switch {
			case field.CascadeDelete || deletedByHand[from.Name] == field.Name:
				if slices.Contains(path, from.Id) {
					continue
				}
				if err := checkReferences(app, from, pointing, params, path); err != nil {
					return err
				}
			case field.Required:
				var id string
				switch found, err := db.Found(app.DB().NewQuery(pointing + " LIMIT 1").Bind(params).Row(&id)); {
				case err != nil:
					return fmt.Errorf("look whether %s.%s needs an account: %w", from.Name, field.Name, err)
				case found:
					return fmt.Errorf("the record cannot be deleted because it is part of a required reference in record %s (%s collection)", id, from.Name)
				}
			}
		}
	}
	return nil
}
