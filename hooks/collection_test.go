package hooks_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestEveryCollectionIsDescribed compares the descriptors with the collections that the migrations make. Whatever a new
// collection forgets is named here.
func TestEveryCollectionIsDescribed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	stored, names := storedCollections(t, s)
	for _, c := range stored {
		for _, fault := range describeFaults(c, collection.Describe(c.Name), names) {
			t.Errorf("internal/collection, %s: %s", c.Name, fault)
		}
	}
	for _, name := range collection.Names() {
		if !slices.ContainsFunc(stored, func(c *core.Collection) bool { return c.Name == name }) {
			t.Errorf("internal/collection describes %s, and no migration makes it", name)
		}
	}
}

// storedCollections returns the collections of a fresh service without PocketBase's, and the names of all by their ids.
func storedCollections(t *testing.T, s *hookstest.Service) (stored []*core.Collection, names map[string]string) {
	t.Helper()
	all, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]string{}
	for _, c := range all {
		names[c.Id] = c.Name
		if !strings.HasPrefix(c.Name, "_") {
			stored = append(stored, c)
		}
	}
	return stored, names
}

// describeFaults returns what a descriptor says wrong or leaves out of its collection. names are those of all
// collections, by their ids.
func describeFaults(c *core.Collection, d *collection.Descriptor, names map[string]string) (faults []string) {
	if d.Name == "" {
		return []string{"it has no descriptor"}
	}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for part, fields := range namedFields(d) {
		for _, field := range fields {
			if c.Fields.GetByName(field) == nil {
				fault("%s names the field %q, which it does not have", part, field)
			}
		}
	}
	clientsCreate := c.CreateRule != nil && !c.IsAuth()
	switch ownerRule := fmt.Sprintf(`(%s = "" || %s = @request.auth.id)`, d.Owner, d.Owner); {
	case clientsCreate && d.Owner == "":
		fault("clients create its rows, and it has no Owner")
	case clientsCreate && !strings.Contains(*c.CreateRule, ownerRule):
		fault("its create rule does not have %s, as its Owner wants", ownerRule)
	}
	if clientsCreate && !d.Events.Created && d.Events.None == "" {
		fault("clients create its rows: say which Events it has, or in Events.None why it has none")
	}
	if edge := uniqueRelations(c); clientsCreate && !slices.Equal(edge, d.Ends) {
		fault("its unique index is over %q, and its Ends are %q", edge, d.Ends)
	}
	if d.IsView {
		return faults
	}
	relations := map[string]collection.Relation{}
	for _, relation := range d.Relations {
		relations[relation.Field] = relation
	}
	dates := slices.Concat(d.Moments, d.OtherDates)
	public := slices.ContainsFunc([]*string{c.ListRule, c.CreateRule, c.UpdateRule}, func(rule *string) bool { return rule != nil })
	for _, field := range c.Fields {
		name := field.GetName()
		switch f := field.(type) {
		case *core.RelationField:
			relation, known := relations[name]
			if !known || relation.To != names[f.CollectionId] {
				fault("Relations do not have {%q, %q}", name, names[f.CollectionId])
				continue
			}
			clears := relation.Removal == collection.ClearField
			if cleared := !f.CascadeDelete; clears && !cleared || relation.Removal <= collection.DeleteRowsLast && cleared {
				fault("the removal of %s is not what its cascade says", name)
			}
			if relation.Removal != collection.SpecialPart && collection.Describe(relation.To).GoneJob == "" {
				fault("it points at %s, whose descriptor has no GoneJob", relation.To)
			}
		case *core.DateField, *core.AutodateField:
			if !slices.Contains(dates, name) {
				fault("%s is neither among its Moments nor among its OtherDates", name)
			}
		case *core.JSONField:
			if public && !f.Hidden && d.Shapes[name] == 0 {
				fault("clients see the JSON of %s, and Shapes do not say what it holds", name)
			}
		case *core.FileField:
			if len(f.Thumbs) > 0 && d.Photos != name {
				fault("%s holds pictures, and Photos does not say so", name)
			}
		}
	}
	if d.Bound == "" {
		fault("it has no Bound: what keeps the table from growing without end?")
	}
	return faults
}

// namedFields returns the fields that a descriptor names, by the part of it that does.
func namedFields(d *collection.Descriptor) map[string][]string {
	named := map[string][]string{
		"ServerFields": d.ServerFields, "ServerFieldsOnCreate": d.ServerFieldsOnCreate, "Derived": d.DerivedFields(), "Ends": d.Ends,
		"Moments": d.Moments, "OtherDates": d.OtherDates, "Shapes": slices.Collect(maps.Keys(d.Shapes)),
	}
	if d.Owner != "" {
		named["Owner"] = []string{d.Owner}
	}
	if d.Photos != "" {
		named["Photos"] = []string{d.Photos}
	}
	for _, relation := range d.Relations {
		named["Relations"] = append(named["Relations"], relation.Field)
	}
	for _, count := range d.Counts {
		named["Counts"] = append(named["Counts"], count.Key)
	}
	for _, change := range d.Events.Updated {
		named["Events"] = append(named["Events"], change.Fields...)
		if change.Unless != "" {
			named["Events"] = append(named["Events"], change.Unless)
		}
	}
	return named
}

var uniqueIndex = regexp.MustCompile(`^CREATE UNIQUE INDEX [^(]*\(([^)]*)\)$`)

// uniqueRelations returns the relations over which a collection has a unique index, in its order; nil if there is no
// such index.
func uniqueRelations(c *core.Collection) []string {
	for _, index := range c.Indexes {
		found := uniqueIndex.FindStringSubmatch(index)
		if found == nil {
			continue
		}
		columns := regexp.MustCompile(`\w+`).FindAllString(found[1], -1)
		if len(columns) > 1 && !slices.ContainsFunc(columns, func(column string) bool {
			field := c.Fields.GetByName(column)
			return field == nil || field.Type() != core.FieldTypeRelation
		}) {
			return columns
		}
	}
	return nil
}

// TestAForgottenPartOfADescriptorIsNamed leaves out each part of descriptors in turn.
func TestAForgottenPartOfADescriptorIsNamed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	stored, names := storedCollections(t, s)
	for _, forgotten := range []struct {
		collection, want string
		forget           func(d *collection.Descriptor)
	}{
		{"saves", "no descriptor", func(d *collection.Descriptor) { *d = collection.Descriptor{} }},
		{"saves", "no Owner", func(d *collection.Descriptor) { d.Owner = "" }},
		{"saves", `create rule does not have (post = "" ||`, func(d *collection.Descriptor) { d.Owner = "post" }},
		{"saves", "Ends are []", func(d *collection.Descriptor) { d.Ends = nil }},
		{"saves", `Ends are ["post" "user"]`, func(d *collection.Descriptor) { d.Ends = []string{"post", "user"} }},
		{"saves", `Relations do not have {"post", "posts"}`, func(d *collection.Descriptor) { d.Relations = d.Relations[:1] }},
		{"saves", "the removal of user", func(d *collection.Descriptor) {
			d.Relations = []collection.Relation{{Field: "user", To: "users", Removal: collection.ClearField}, d.Relations[1]}
		}},
		{"saves", "created is neither", func(d *collection.Descriptor) { d.Moments = nil }},
		{"mutes", "until is neither", func(d *collection.Descriptor) { d.OtherDates = nil }},
		{"saves", "Events.None", func(d *collection.Descriptor) { d.Events = collection.Events{} }},
		{"saves", "no Bound", func(d *collection.Descriptor) { d.Bound = "" }},
		{"posts", "JSON of alts", func(d *collection.Descriptor) { d.Shapes = nil }},
		{"posts", "photos holds pictures", func(d *collection.Descriptor) { d.Photos = "" }},
		{"posts", `ServerFields names the field "visits"`, func(d *collection.Descriptor) { d.ServerFields = []string{"visits"} }},
	} {
		at := slices.IndexFunc(stored, func(c *core.Collection) bool { return c.Name == forgotten.collection })
		changed := *collection.Describe(forgotten.collection)
		forgotten.forget(&changed)
		faults := describeFaults(stored[at], &changed, names)
		if !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, forgotten.want) }) {
			t.Errorf("%s: the faults are %q, want one with %q", forgotten.collection, faults, forgotten.want)
		}
	}
}
