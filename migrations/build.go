// Package migrations holds the steps that gave the data its schema: one step in each file, written in literals, and
// frozen once it is released.
package migrations

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// refuseDown is the way back of each step. PocketBase calls a step without one reverted, and undoes nothing.
func refuseDown(core.App) error {
	return errors.New("a step of Doubletap cannot be undone, and nothing was changed: a backup brings the data of before back, and the command leave gives the folder to a plain PocketBase")
}

// Parts of the rules below. callerID is the caller's id; signedInRule keeps guests out, since for them callerID
// equals an empty relation.
const (
	callerID     = `@request.auth.id`
	signedInRule = `@request.auth.id != ""`
)

// ownerRule returns the rule of a row that belongs to the user in field.
func ownerRule(field string) string { return signedInRule + ` && ` + field + ` = ` + callerID }

// ownerOrRule returns a rule that admits the user in field, and others whom rule admits.
func ownerOrRule(field, rule string) string { return `(` + ownerRule(field) + `) || (` + rule + `)` }

// ownerCreateRule returns the part of a create rule by which the owner may be empty or the caller.
func ownerCreateRule(field string) string {
	return signedInRule + ` && (` + field + ` = "" || ` + field + ` = ` + callerID + `)`
}

// fixedFieldsRule returns the part of an update rule that refuses every way of changing the fields.
func fixedFieldsRule(fields ...string) string {
	rule := ""
	for _, field := range fields {
		rule += ` && @request.body.` + field + `:isset = false`
	}
	return rule
}

// collectionRules are the rules of a collection. An empty one admits superusers only, as no collection of ours may be
// written by everybody. List and view share one rule.
type collectionRules struct{ see, create, update, remove string }

func (r collectionRules) applyTo(c *core.Collection) {
	rule := func(text string) *string {
		if text == "" {
			return nil
		}
		return types.Pointer(text)
	}
	c.ListRule, c.ViewRule = rule(r.see), rule(r.see)
	c.CreateRule, c.UpdateRule, c.DeleteRule = rule(r.create), rule(r.update), rule(r.remove)
}

// createCollection saves a new collection, with the fields created and updated after its own.
func createCollection(app core.App, name string, r collectionRules, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	r.applyTo(c)
	return saveCollection(app, c, indexes, fields)
}

// createInternalCollection saves a new collection that only the service and superusers use. As a system collection it
// survives an import that deletes what it does not list.
func createInternalCollection(app core.App, name string, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	c.System = true
	return saveCollection(app, c, indexes, fields)
}

func saveCollection(app core.App, c *core.Collection, indexes []string, fields []core.Field) error {
	c.Fields.Add(fields...)
	c.Fields.Add(
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	c.Indexes = append(c.Indexes, indexes...)
	if err := app.Save(c); err != nil {
		return fmt.Errorf("save collection %s: %w", c.Name, err)
	}
	return nil
}

// cascadeDelete makes a row be deleted together with the row that it points at.
const cascadeDelete = true

func relationField(app core.App, name, to string, required, cascade bool) *core.RelationField {
	c, err := app.FindCollectionByNameOrId(to)
	if err != nil {
		panic(fmt.Errorf("relation %s: collection %s: %w", name, to, err)) // the steps run in the wrong order
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, Required: required, CascadeDelete: cascade, MaxSelect: 1}
}

func textField(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most}
}

func hiddenTextField(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most, Hidden: true}
}

func hiddenNumberField(name string) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true, Hidden: true}
}

func hiddenBoolField(name string) *core.BoolField { return &core.BoolField{Name: name, Hidden: true} }

func hiddenDateField(name string) *core.DateField { return &core.DateField{Name: name, Hidden: true} }

func numberField(name string) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true}
}

func boolField(name string) *core.BoolField { return &core.BoolField{Name: name} }

func dateField(name string) *core.DateField { return &core.DateField{Name: name} }

func jsonField(name string, most int64) *core.JSONField {
	return &core.JSONField{Name: name, MaxSize: most}
}

func selectField(name string, required bool, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Required: required, Values: values, MaxSelect: 1}
}

// indexDDL and uniqueIndexDDL return the DDL of an index that is named after its table and name.
func indexDDL(table, name, columns string) string {
	return fmt.Sprintf("CREATE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}

func uniqueIndexDDL(table, name, columns string) string {
	return fmt.Sprintf("CREATE UNIQUE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}
