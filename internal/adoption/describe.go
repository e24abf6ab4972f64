package adoption

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// describeChanges says what becomes of the users, their rules and the settings.
func (e *examination) describeChanges() error {
	for _, r := range userRules {
		theirs := *r.of(e.users)
		switch {
		case !r.isKept(e.users) && r.isSight:
			e.change("users", r.name, e.Users, "PocketBase's default gives way: everybody sees the profiles of active people who have not blocked them")
		case !r.isKept(e.users):
			e.change("users", r.name, e.Users, "PocketBase's default gives way to Doubletap's rule, which is no wider")
		case theirs == nil:
			e.change("users", r.name, e.Users, "closed to all but superusers, as it was")
		default:
			e.change("users", r.name, e.Users, "yours and Doubletap's together: who was refused before is refused")
		}
	}
	for _, v := range valueFields {
		for from, to := range v.mapping(e.options) {
			if e.users.Fields.GetByName(v.name) == nil {
				break
			}
			n := 0
			if err := e.app.DB().NewQuery(`SELECT count(*) FROM users WHERE [[` + v.name + `]] = {:from}`).Bind(map[string]any{"from": from}).Row(&n); err != nil {
				return err
			}
			e.change("users", v.name, n, "%q becomes %q", from, to)
		}
	}
	if private := privateFields(e.users, e.Users, e.options); len(private) > 0 {
		e.change("users", strings.Join(private, ", "), e.Users, "for the person and superusers alone, as before; Adoption.Public names those that a profile shall show")
	}
	from := "their username, name or the local part of their address"
	if e.options.Handle != nil {
		from = "what Adoption.Handle returns, else of " + from
	}
	e.change("users", "handle", e.Users, "made of %s; they can sign in with it too where passwords are on", from)
	e.change("users", "role", e.Users, "member, save those mapped")
	e.change("users", "state", e.Users, "active, save those mapped")
	e.change("settings", "", e.Users, "a row for each person: what they want to hear of")
	if avatar, ok := e.users.Fields.GetByName("avatar").(*core.FileField); ok && avatar.Protected {
		e.change("users", "avatar", e.Users, "protected, as it was: only the person and superusers see it")
	}
	if keepsBatch(e.app.Settings()) {
		e.change("settings of the app", "batch", 0, "as they are")
	} else {
		e.change("settings of the app", "batch", 0, "on for people who are signed in, 50 requests at most")
	}
	return nil
}
