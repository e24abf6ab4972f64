// Package schema holds the words in which the two PocketBase subjects say their collections, so that plain
// and careful differ in what they decide and in nothing else.
package schema

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Rules of a collection in PocketBase's rule language; an empty one lets nobody but superusers.
// See is for lists and single records alike.
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

// CreateCollection saves a new collection with created and updated behind its own fields.
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

// OpenUsersCollection lets everybody who is signed in see users, which expanding an author needs, and adds fields.
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

// RelationField is a required field that points at one row of another collection and goes when that row goes.
func RelationField(app core.App, name, to string) *core.RelationField {
	c, err := app.FindCollectionByNameOrId(to)
	if err != nil {
		panic(err) // the collections are created in the wrong order
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, Required: true, CascadeDelete: true, MaxSelect: 1}
}

// PhotoField is a field with one picture and the thumbs that the benchmark looks at.
func PhotoField(name string) *core.FileField {
	return &core.FileField{
		Name: name, Required: true, MaxSelect: 1, MaxSize: 50 << 20,
		MimeTypes: []string{"image/jpeg", "image/png", "image/webp"}, Thumbs: []string{"640x640f", "320x320"},
	}
}

// CountField is a whole number.
func CountField(name string) *core.NumberField { return &core.NumberField{Name: name, OnlyInt: true} }

// IndexDDL and Unique write the DDL of an index.
func IndexDDL(table, columns string) string {
	return fmt.Sprintf("CREATE INDEX `idx_%s_%s` ON `%s` (%s)", table, lettersOf(columns), table, columns)
}

// UniqueIndexDDL is like Index for an index that forbids duplicates.
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
