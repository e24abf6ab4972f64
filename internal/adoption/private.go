package adoption

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// profileFields are the fields that PocketBase's own users have and a profile shows, and those that the service adds.
var profileFields = []string{"id", "name", "avatar", "created", "updated", "verified", "emailVisibility", "password", "tokenKey"}

// privateFields returns the fields of the users of before that stay their owner's alone, since nobody else was shown
// them: the address and all of the app's own. If an owner has chosen who sees whom, that still decides for all of them.
func privateFields(before *core.Collection, users int, o Options) (private []string) {
	if keepsSight(before) {
		return nil
	}
	for _, field := range before.Fields {
		name := field.GetName()
		file, isFile := field.(*core.FileField)
		switch {
		case isFile && file.Protected: // even the avatar
		case name == core.FieldNameEmail && users == 0 && !hasOwnFields(before): // a fresh folder
			continue
		case slices.Contains(profileFields, name) || isOurs(name):
			continue
		}
		if !slices.Contains(o.Public, name) {
			private = append(private, name)
		}
	}
	return private
}

// hasOwnFields reports whether the app gave its users fields beyond those of PocketBase.
func hasOwnFields(users *core.Collection) bool {
	return slices.ContainsFunc(users.Fields, func(field core.Field) bool {
		return field.GetName() != core.FieldNameEmail && !slices.Contains(profileFields, field.GetName())
	})
}

// isOurs reports whether our migrations give users a field of this name.
func isOurs(name string) bool {
	return slices.ContainsFunc(ourFields, func(f ourField) bool { return f.name == name }) ||
		slices.ContainsFunc(valueFields, func(v valueField) bool { return v.name == name })
}
