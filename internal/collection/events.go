package collection

import "slices"

// Type returns the type of an event of a collection, such as like.created.
func (e Events) Type(verb string) string { return e.Noun + "." + verb }

// Verbs returns the verbs of all events of a collection.
func (e Events) Verbs() []string {
	var verbs []string
	if e.Created {
		verbs = append(verbs, "created")
	}
	for _, change := range e.Updated {
		verbs = append(verbs, change.Verb)
	}
	if e.Deleted {
		verbs = append(verbs, "deleted")
	}
	return verbs
}

// EventTypes returns the types of all events of all collections, which a webhook may ask for.
func EventTypes() []string {
	var types []string
	for _, d := range All {
		for _, verb := range d.Events.Verbs() {
			types = append(types, d.Events.Type(verb))
		}
	}
	slices.Sort(types)
	return types
}

// CreatedEventNames returns the names of the collections whose new rows are events.
func CreatedEventNames() []string {
	return namesWhere(func(d *Descriptor) bool { return d.Events.Created })
}

// UpdatedEventNames returns the names of the collections with updates that are events.
func UpdatedEventNames() []string {
	return namesWhere(func(d *Descriptor) bool { return len(d.Events.Updated) > 0 })
}

// DeletedEventNames returns the names of the collections whose deleted rows are events.
func DeletedEventNames() []string {
	return namesWhere(func(d *Descriptor) bool { return d.Events.Deleted })
}
