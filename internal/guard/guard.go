// Package guard keeps clients from changing what belongs to the service: silently, and in every spelling of a request,
// since it looks at the record and not at the request.
package guard

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
)

// GuardedCollections are the collections whose records are written as BeginUpdate says: ours, and the superusers.
var GuardedCollections = append([]string{core.CollectionNameSuperusers}, collection.Names()...)

// RestoreServerFields sets the fields that no client may set back to what they were.
func RestoreServerFields(record *core.Record) {
	restoreFields(record, serverFieldsOf(record.Collection().Name, record.IsNew()))
}

func serverFieldsOf(name string, creating bool) []string {
	d := collection.Describe(name)
	if creating {
		return slices.Concat(d.ServerFields, d.ServerFieldsOnCreate)
	}
	return d.ServerFields
}

// ClientMaySet reports whether a client that is no superuser may choose the value of the field.
func ClientMaySet(name, field string, creating bool) bool {
	d := collection.Describe(name)
	if field == core.FieldNameId && collection.IsOurs(name) && !d.ClientChoosesID {
		return false
	}
	return !slices.Contains(serverFieldsOf(name, creating), field) && ServerMaySet(name, field) &&
		(creating || !slices.Contains(d.Ends, field) && field != d.Owner)
}

// ServerMaySet reports whether Go code, or a superuser, may choose the value of the field.
func ServerMaySet(name, field string) bool {
	return !slices.Contains(collection.Describe(name).DerivedFields(), field)
}

// RestoreDerived sets the fields that nobody may set, and an edge's ends, back to what they were.
func RestoreDerived(record *core.Record) {
	d := collection.Describe(record.Collection().Name)
	restoreFields(record, d.DerivedFields())
	if !record.IsNew() {
		restoreFields(record, d.Ends)
	}
}

func restoreFields(record *core.Record, fields []string) {
	if len(fields) == 0 {
		return
	}
	original := record.Original()
	if record.IsNew() {
		original = core.NewRecord(record.Collection()) // a copy made in Go takes over nothing of its original
	}
	for _, field := range fields {
		record.SetRaw(field, original.GetRaw(field))
	}
}

// SetDefault sets the field if it is empty. Call it after RestoreServerFields, so that a superuser's value stays.
func SetDefault(record *core.Record, field, value string) {
	if record.GetString(field) == "" {
		record.Set(field, value)
	}
}
