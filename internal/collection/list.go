package collection

import "slices"

// All are the collections that the service needs and looks after. All others are their owner's: PocketBase alone
// decides what happens to them.
var All = slices.Concat(people, graph, posts, tray, operation)

var byName = func() map[string]*Descriptor {
	found := make(map[string]*Descriptor, len(All))
	for i := range All {
		found[All[i].Name] = &All[i]
	}
	return found
}()

var ownersCollection Descriptor

// Describe returns the descriptor of a collection, which is empty for one that is not the service's.
func Describe(name string) *Descriptor {
	if d := byName[name]; d != nil {
		return d
	}
	return &ownersCollection
}

// IsOurs reports whether a collection is the service's.
func IsOurs(name string) bool { return byName[name] != nil }

// Names returns the names of all.
func Names() []string { return namesWhere(func(*Descriptor) bool { return true }) }

// EdgeNames returns the names of those whose rows are edges.
func EdgeNames() []string { return namesWhere(func(d *Descriptor) bool { return len(d.Ends) > 0 }) }

// UnreadRelationNames returns the names of those in which clients create and of which no handler reads what a new row
// points at.
func UnreadRelationNames() []string {
	return namesWhere(func(d *Descriptor) bool { return d.Owner != "" && !d.ReadsRelations })
}

// StampedNames returns the names of those that have moments.
func StampedNames() []string {
	return namesWhere(func(d *Descriptor) bool { return len(d.Moments) > 0 })
}

// PhotoNames returns the names of those that have photos.
func PhotoNames() []string { return namesWhere(func(d *Descriptor) bool { return d.Photos != "" }) }

// namesWhere returns the names of the collections that meet a condition.
func namesWhere(meets func(*Descriptor) bool) []string {
	var names []string
	for i := range All {
		if meets(&All[i]) {
			names = append(names, All[i].Name)
		}
	}
	return names
}
