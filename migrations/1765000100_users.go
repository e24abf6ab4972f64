package migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// photoSizes are the sizes in which every photo and avatar may be requested.
var photoSizes = []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"}

func init() {
	m.Register(func(app core.App) error {
		if err := extendUsers(app); err != nil {
			return err
		}
		hour := `^([01][0-9]|2[0-3]):[0-5][0-9]$`
		err := createCollection(app, "settings", collectionRules{
			see:    ownerRule("user"),
			update: ownerRule("user") + fixedFieldsRule("user"),
		}, []string{uniqueIndexDDL("settings", "user", "`user`")},
			relationField(app, "user", "users", true, cascadeDelete),
			dateField("seenAt"), dateField("readAt"),
			jsonField("notify", 20_000),
			selectField("digest", false, "off", "hourly", "daily"),
			&core.TextField{Name: "quietFrom", Pattern: hour}, &core.TextField{Name: "quietTo", Pattern: hour},
			textField("locale", 35), textField("timezone", 64),
			hiddenNumberField("seq"),        // the last seq given to this user's notifications and retractions
			hiddenTextField("bounced", 255), // the address whose mail came back
			hiddenDateField("digestedAt"),
		)
		if err != nil {
			return err
		}
		// A row without an end reserves its name for ever. A handle that was given up stays reserved for its former
		// owner for a while, so that nobody can take over a known name at once.
		return createInternalCollection(app, "handles",
			[]string{
				"CREATE UNIQUE INDEX `idx_handles_name` ON `handles` (`name` COLLATE NOCASE)",
				"CREATE INDEX `idx_handles_until` ON `handles` (`until`) WHERE `until` != ''",
				"CREATE INDEX `idx_handles_user` ON `handles` (`user`) WHERE `user` != ''",
				// Each new handle is compared by its look with the service's own names; erased accounts leave many more.
				"CREATE INDEX `idx_handles_reserved` ON `handles` (`name`) WHERE `reason` = 'reserved'",
			},
			&core.TextField{Name: "name", Required: true, Max: 30}, textField("reason", 200), textField("user", 30), dateField("until"))
	}, refuseDown)
}

// extendUsers gives PocketBase's users what a person has here. What an app that adopts Doubletap has set stays.
func extendUsers(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	users.Fields.Add(
		// not required: OAuth2 and OTP sign-ups have no handle and are given one
		&core.TextField{Name: "handle", Min: 3, Max: 30, Pattern: `^[a-z0-9_]+(\.[a-z0-9_]+)*$`, Presentable: true},
		textField("bio", 300),
		boolField("private"),
		selectField("state", false, "active", "suspended", "deleting"),
		selectField("role", false, "member", "moderator"),
		numberField("postsCount"), numberField("followersCount"), numberField("followingCount"),
		hiddenNumberField("publicPosts"),
	)
	if users.Fields.GetByName("name") == nil {
		users.Fields.Add(textField("name", 255))
	}
	if avatar, ok := users.Fields.GetByName("avatar").(*core.FileField); ok {
		avatar.MimeTypes = []string{"image/jpeg", "image/png", "image/webp", "image/gif"}
		avatar.MaxSize = 50 << 20
		for _, size := range photoSizes {
			if !slices.Contains(avatar.Thumbs, size) {
				avatar.Thumbs = append(avatar.Thumbs, size)
			}
		}
	}
	users.Indexes = append(users.Indexes,
		"CREATE UNIQUE INDEX `idx_users_handle` ON `users` (`handle` COLLATE NOCASE) WHERE `handle` != ''",
		// At each log-in PocketBase looks for "email = ?" and "handle = ?"; SQLite cannot know that an index WHERE
		// email != '' covers them, and would read all users.
		"CREATE INDEX `idx_users_email_lookup` ON `users` (`email` COLLATE NOCASE)",
		"CREATE INDEX `idx_users_handle_lookup` ON `users` (`handle` COLLATE NOCASE)")
	users.PasswordAuth.Enabled = true
	for _, field := range []string{"email", "handle"} {
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
	return app.Save(users)
}
