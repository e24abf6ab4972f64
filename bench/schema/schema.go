// Package schema holds helpers with which the two PocketBase subjects define their collections, so that plain and
// careful differ only in their design.
package schema

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Rules are those of a collection in PocketBase's rule language; an empty one allows only superusers. See is for
// lists and single records alike.
type Rules struct{ See, Create, Remove string }

func (r Rules) applyTo(c *core.Collection) {
	rule := func(text string) *string {
		if text == "" {
			return nil
		}
		return types.Pointer(text)
	}
	c.ListRule, c.ViewRule = rule(r.See), rule(r.See)
	c.CreateRule, c.DeleteRule = rule(r.Create), rule(r.Remove)
}

// CreateCollection saves a new collection, with the fields created and updated after its own.
func CreateCollection(app core.App, name string, r Rules, indexes []string, fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	r.applyTo(c)
	c.Fields.Add(fields...)
	c.Fields.Add(
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	c.Indexes = indexes
	if err := app.Save(c); err != nil {
		return fmt.Errorf("create collection %s: %w", name, err)
	}
	return nil
}

// OpenUsersCollection lets everybody who is signed in see users, as expanding an author requires, and adds fields.
func OpenUsersCollection(app core.App, fields ...core.Field) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	users.ListRule = types.Pointer(`@request.auth.id != ""`)
	users.ViewRule = users.ListRule
	users.Fields.Add(fields...)
	return app.Save(users)
}

// RelationField returns a required field that points at one row of another collection; deleting that row deletes the
// record.
func RelationField(app core.App, name, to string) *core.RelationField {
	c, err := app.FindCollectionByNameOrId(to)
	if err != nil {
		panic(err) // the collections are created in the wrong order
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, Required: true, CascadeDelete: true, MaxSelect: 1}
}

// PhotoField returns a field for one picture, with the thumbs that the benchmark views.
func PhotoField(name string) *core.FileField {
	return &core.FileField{
		Name: name, Required: true, MaxSelect: 1, MaxSize: 50 << 20,
		MimeTypes: []string{"image/jpeg", "image/png", "image/webp"}, Thumbs: []string{"640x640f", "320x320"},
	}
}

// CountField returns a field for a whole number.
func CountField(name string) *core.NumberField { return &core.NumberField{Name: name, OnlyInt: true} }

// IndexDDL returns the DDL of an index.
func IndexDDL(table, columns string) string {
	return fmt.Sprintf("CREATE INDEX `idx_%s_%s` ON `%s` (%s)", table, lettersOf(columns), table, columns)
}

// UniqueIndexDDL returns the DDL of an index that forbids duplicates.
func UniqueIndexDDL(table, columns string) string {
	return fmt.Sprintf("CREATE UNIQUE INDEX `idx_%s_%s` ON `%s` (%s)", table, lettersOf(columns), table, columns)
}

func lettersOf(columns string) string {
	letters := []rune{}
	for _, r := range columns {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			letters = append(letters, r)
		}
	}
	return string(letters)
}
