package collection

import "slices"

// derivedFields are the fields that nobody sets, by collection: its own Derived, and the columns of the counters of
// which it is the target.
var derivedFields = func() map[string][]string {
	fields := map[string][]string{}
	for _, d := range All {
		fields[d.Name] = append(fields[d.Name], d.Derived...)
		for _, count := range d.Counts {
			fields[count.Target] = append(fields[count.Target], count.Column)
		}
	}
	return fields
}()

// DerivedFields returns the fields of the collection that follow from other rows: nobody sets them.
func (d *Descriptor) DerivedFields() []string { return derivedFields[d.Name] }

// CounterKey returns the field by which rows of the collection are counted in rows of target. It is empty if they are
// not.
func (d *Descriptor) CounterKey(target string) string {
	at := slices.IndexFunc(d.Counts, func(c Count) bool { return c.Target == target })
	if at < 0 {
		return ""
	}
	return d.Counts[at].Key
}

// Pointer is a relation with the collection that it belongs to.
type Pointer struct {
	From string
	Relation
}

// PointersTo returns the relations that point at a collection and have one of the removals.
func PointersTo(name string, removals ...Removal) []Pointer {
	var found []Pointer
	for _, d := range All {
		for _, relation := range d.Relations {
			if relation.To == name && slices.Contains(removals, relation.Removal) {
				found = append(found, Pointer{d.Name, relation})
			}
		}
	}
	return found
}

// GoneJobs returns the kinds of the jobs that remove what points at deleted rows.
func GoneJobs() []string {
	var kinds []string
	for _, d := range All {
		if d.GoneJob != "" {
			kinds = append(kinds, d.GoneJob)
		}
	}
	return kinds
}

// ShipsRelation reports whether a relation field of a collection is one of the product's, and not one that an owner has added.
func ShipsRelation(name, field string) bool {
	d := Describe(name)
	return d.IsView || slices.ContainsFunc(d.Relations, func(r Relation) bool { return r.Field == field })
}
