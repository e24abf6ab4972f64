package migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		celebrity := boolField("celebrity")
		celebrity.Hidden = true
		users.Fields.Add(
			// not required: OAuth2 and OTP sign-ups have no handle and are given one
			&core.TextField{Name: "handle", Min: 3, Max: 30, Pattern: `^[a-z0-9_]+(\.[a-z0-9_]+)*$`, Presentable: true},
			textField("bio", 300),
			boolField("private"),
			selectField("state", false, "active", "suspended", "deleting"),
			selectField("role", false, "member", "moderator"),
			numberField("postsCount"), numberField("followersCount"), numberField("followingCount"),
			celebrity,
		)
		if users.Fields.GetByName("name") == nil {
			users.Fields.Add(textField("name", 255))
		}
		if avatar, ok := users.Fields.GetByName("avatar").(*core.FileField); ok {
			avatar.MimeTypes = []string{"image/jpeg", "image/png", "image/webp", "image/gif"}
			avatar.MaxSize = 50 << 20
		}
		users.Indexes = append(users.Indexes,
			"CREATE UNIQUE INDEX `idx_users_handle` ON `users` (`handle` COLLATE NOCASE) WHERE `handle` != ''",
			"CREATE INDEX `idx_users_celebrity` ON `users` (`id`) WHERE `celebrity`")
		users.PasswordAuth.Enabled = true
		for _, field := range []string{"email", "handle"} { // added to those that people of this app sign in with already
			if !slices.Contains(users.PasswordAuth.IdentityFields, field) {
				users.PasswordAuth.IdentityFields = append(users.PasswordAuth.IdentityFields, field)
			}
		}
		users.AuthRule = types.Pointer(`state = "active"`)
		collectionRules{
			see:    ownerOrRule("id", `state = "active" && blockedBy(`+callerID+`, id) = false`),
			update: ownerRule("id") + ` && state = "active"`,
			remove: ownerRule("id"),
		}.applyTo(users)
		users.CreateRule = types.Pointer("") // everybody may sign up
		if err := app.Save(users); err != nil {
			return err
		}

		seq := numberField("seq") // the last seq given to this user's notifications and retractions
		seq.Hidden = true
		hour := `^([01][0-9]|2[0-3]):[0-5][0-9]$`
		err = createCollection(app, "settings", collectionRules{
			see:    ownerRule("user"),
			update: ownerRule("user") + fixedFieldsRule("user"),
		}, []string{uniqueIndexDDL("settings", "user", "`user`")},
			relationField(app, "user", "users", true, cascadeDelete),
			dateField("seenAt"), dateField("readAt"),
			jsonField("notify", 20_000),
			selectField("digest", false, "off", "hourly", "daily"),
			&core.TextField{Name: "quietFrom", Pattern: hour}, &core.TextField{Name: "quietTo", Pattern: hour},
			textField("locale", 35), textField("timezone", 64),
			seq,
		)
		if err != nil {
			return err
		}
		return createInternalCollection(app, "handles",
			[]string{"CREATE UNIQUE INDEX `idx_handles_name` ON `handles` (`name` COLLATE NOCASE)"},
			&core.TextField{Name: "name", Required: true, Max: 30}, textField("reason", 200))
	}, nil)
}
