// Package migrations tells how the data got its shape: one step a file, in
// literals, each frozen once released.
package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The words of the rules below. me is the caller's id; auth keeps guests out,
// for whom me equals an empty relation.
const (
	callerID     = `@request.auth.id`
	signedInRule = `@request.auth.id != ""`
)

// ownerRule is the rule of a row that belongs to the user in field.
func ownerRule(field string) string { return signedInRule + ` && ` + field + ` = ` + callerID }

// ownerOrRule lets the user in field see the row, and others whom rule lets.
func ownerOrRule(field, rule string) string { return `(` + ownerRule(field) + `) || (` + rule + `)` }

// ownerCreateRule is the create rule's part that lets the owner be left out or be the caller.
func ownerCreateRule(field string) string {
	return signedInRule + ` && (` + field + ` = "" || ` + field + ` = ` + callerID + `)`
}

// fixedFieldsRule is the update rule's part that keeps fields as they are, in every spelling of a change.
func fixedFieldsRule(fields ...string) string {
	rule := ""
	for _, field := range fields {
		rule += ` && @request.body.` + field + `:isset = false`
	}
	return rule
}

// collectionRules of a collection; an empty string means superusers only, as there is no
// collection of ours that anybody may write. List and view are one rule.
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

// createCollection saves a new collection with created and updated behind its own fields.
func createCollection(app core.App, name string, r collectionRules, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	r.applyTo(c)
	return saveCollection(app, c, indexes, fields)
}

// createInternalCollection is create for a collection that only the service and superusers touch;
// as a system collection it survives an import that deletes what it does not list.
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

// cascadeDelete deletes the row together with what it points at.
const cascadeDelete = true

func relationField(app core.App, name, to string, required, cascade bool) *core.RelationField {
	c, err := app.FindCollectionByNameOrId(to)
	if err != nil {
		panic(fmt.Errorf("relation %s: collection %s: %w", name, to, err)) // the steps are out of order
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, Required: required, CascadeDelete: cascade, MaxSelect: 1}
}

func textField(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most}
}

func hiddenTextField(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most, Hidden: true}
}

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

// indexDDL and unique write the DDL of an index named after its table and columns.
func indexDDL(table, name, columns string) string {
	return fmt.Sprintf("CREATE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}

func uniqueIndexDDL(table, name, columns string) string {
	return fmt.Sprintf("CREATE UNIQUE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}
