package fastpath

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestOnlyTheShippedFieldsOfLikesAreKnown changes the collection as an owner may, one field at a time.
func TestOnlyTheShippedFieldsOfLikesAreKnown(t *testing.T) {
	w := newWorld(t)
	cached, err := w.app.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		t.Fatal(err)
	}
	if !HasShippedFields(cached) {
		t.Fatal("the shipped fields are not known")
	}
	expectUnknown := func(what string, change func(likes *core.Collection)) {
		t.Helper()
		likes, err := w.app.FindCollectionByNameOrId("likes")
		if err != nil {
			t.Fatal(err)
		}
		change(likes)
		if HasShippedFields(likes) {
			t.Errorf("%s: the fields count as shipped", what)
		}
	}
	for _, field := range cached.Fields {
		name := field.GetName()
		expectUnknown(name+" removed", func(likes *core.Collection) {
			kept := core.FieldsList{}
			for _, f := range likes.Fields {
				if f.GetName() != name {
					kept = append(kept, f)
				}
			}
			likes.Fields = kept
		})
		expectUnknown(name+" hidden", func(likes *core.Collection) { likes.Fields.GetByName(name).SetHidden(true) })
		expectUnknown(name+" renamed", func(likes *core.Collection) { likes.Fields.GetByName(name).SetName("other") })
	}
	expectUnknown("a field added", func(likes *core.Collection) { likes.Fields.Add(&core.TextField{Name: "mood"}) })
	expectUnknown("ids that are longer", func(likes *core.Collection) { likes.Fields.GetByName("id").(*core.TextField).Min = 16 })
	expectUnknown("ids that are shorter", func(likes *core.Collection) { likes.Fields.GetByName("id").(*core.TextField).Max = 14 })
	expectUnknown("ids of other letters", func(likes *core.Collection) { likes.Fields.GetByName("id").(*core.TextField).Pattern = `^[A-Z]+$` })
	expectUnknown("a like of several posts", func(likes *core.Collection) { likes.Fields.GetByName("post").(*core.RelationField).MaxSelect = 2 })
	expectUnknown("a like of several people", func(likes *core.Collection) { likes.Fields.GetByName("user").(*core.RelationField).MaxSelect = 2 })
	expectUnknown("no time of creation", func(likes *core.Collection) { likes.Fields.GetByName("created").(*core.AutodateField).OnCreate = false })
	expectUnknown("no time of change", func(likes *core.Collection) { likes.Fields.GetByName("updated").(*core.AutodateField).OnCreate = false })
}
