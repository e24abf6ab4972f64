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
	me   = `@request.auth.id`
	auth = `@request.auth.id != ""`
)

// own is the rule of a row that belongs to the user in field.
func own(field string) string { return auth + ` && ` + field + ` = ` + me }

// either lets the user in field see the row, and others whom rule lets.
func either(field, rule string) string { return `(` + own(field) + `) || (` + rule + `)` }

// mine is the create rule's part that lets the owner be left out or be the caller.
func mine(field string) string {
	return auth + ` && (` + field + ` = "" || ` + field + ` = ` + me + `)`
}

// fixed is the update rule's part that keeps fields as they are, in every spelling of a change.
func fixed(fields ...string) string {
	rule := ""
	for _, field := range fields {
		rule += ` && @request.body.` + field + `:isset = false`
	}
	return rule
}

// rules of a collection; an empty string means superusers only, as there is no
// collection of ours that anybody may write. List and view are one rule.
type rules struct{ see, create, update, remove string }

func (r rules) apply(c *core.Collection) {
	rule := func(text string) *string {
		if text == "" {
			return nil
		}
		return types.Pointer(text)
	}
	c.ListRule, c.ViewRule = rule(r.see), rule(r.see)
	c.CreateRule, c.UpdateRule, c.DeleteRule = rule(r.create), rule(r.update), rule(r.remove)
}

// create saves a new collection with created and updated behind its own fields.
func create(app core.App, name string, r rules, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	r.apply(c)
	return save(app, c, indexes, fields)
}

// createInternal is create for a collection that only the service and superusers touch;
// as a system collection it survives an import that deletes what it does not list.
func createInternal(app core.App, name string, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	c.System = true
	return save(app, c, indexes, fields)
}

func save(app core.App, c *core.Collection, indexes []string, fields []core.Field) error {
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

// cascades deletes the row together with what it points at.
const cascades = true

func relation(app core.App, name, to string, required, cascade bool) *core.RelationField {
	c, err := app.FindCollectionByNameOrId(to)
	if err != nil {
		panic(fmt.Errorf("relation %s: collection %s: %w", name, to, err)) // the steps are out of order
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, Required: required, CascadeDelete: cascade, MaxSelect: 1}
}

func text(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most}
}

func hiddenText(name string, most int) *core.TextField {
	return &core.TextField{Name: name, Max: most, Hidden: true}
}

func number(name string) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true}
}

func flag(name string) *core.BoolField { return &core.BoolField{Name: name} }

func date(name string) *core.DateField { return &core.DateField{Name: name} }

func object(name string, most int64) *core.JSONField {
	return &core.JSONField{Name: name, MaxSize: most}
}

func choice(name string, required bool, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Required: required, Values: values, MaxSelect: 1}
}

// index and unique write the DDL of an index named after its table and columns.
func index(table, name, columns string) string {
	return fmt.Sprintf("CREATE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}

func unique(table, name, columns string) string {
	return fmt.Sprintf("CREATE UNIQUE INDEX `idx_%s_%s` ON `%s` (%s)", table, name, table, columns)
}
