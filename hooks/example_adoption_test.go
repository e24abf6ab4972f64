package hooks_test

import (
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
)

// An app of before had its own roles, and nicknames that become handles. Everybody may see who lives where; all other
// fields of its users stay as private as they were.
func ExampleSocial_Adopt() {
	app := pocketbase.New()
	hooks.Bind(app).Adopt(hooks.Adoption{
		Handle: func(user *core.Record) string { return user.GetString("nick") },
		Role:   map[string]string{"admin": "moderator", "vip": "member"},
		Public: []string{"city"},
	})
}
