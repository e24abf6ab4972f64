package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		postsCount := numberField("postsCount")
		err := createCollection(app, "posts", collectionRules{
			see:    ownerOrRule("author", `hidden = false && sees(`+callerID+`, author, visibility) = true`),
			create: ownerCreateRule("author") + ` && @request.auth.state = "active"`,
			update: ownerRule("author") + fixedFieldsRule("author", "photos"),
			remove: ownerRule("author"),
		}, []string{
			indexDDL("posts", "author", "`author`, `created` DESC"),
			indexDDL("posts", "created", "`created` DESC"),
		},
			relationField(app, "author", "users", true, cascadeDelete),
			&core.FileField{
				Name: "photos", Required: true, MaxSelect: 10, MaxSize: 50 << 20,
				// protected: a caller who may not see the post gets no file; a public post's photo needs no token
				Protected: true,
				MimeTypes: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"},
				Thumbs:    []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"},
			},
			jsonField("alts", 20_000), jsonField("media", 20_000),
			textField("caption", 2200),
			selectField("visibility", false, "public", "followers", "private"),
			textField("place", 120), &core.GeoPointField{Name: "geo"},
			boolField("commentsOff"), boolField("hidden"),
			numberField("likesCount"), numberField("commentsCount"))
		if err != nil {
			return err
		}
		banned := boolField("banned")
		banned.Hidden = true
		err = createCollection(app, "hashtags", collectionRules{see: `banned = false && seesTag(` + callerID + `, id) = true`},
			[]string{uniqueIndexDDL("hashtags", "name", "`name`")},
			&core.TextField{Name: "name", Required: true, Max: 100, Presentable: true}, postsCount, banned)
		if err != nil {
			return err
		}
		err = createCollection(app, "post_tags", collectionRules{see: `seesPost(` + callerID + `, post) = true`},
			[]string{
				uniqueIndexDDL("post_tags", "edge", "`tag`, `post`"),
				indexDDL("post_tags", "newest", "`tag`, `created` DESC"),
				indexDDL("post_tags", "post", "`post`"),
			},
			relationField(app, "tag", "hashtags", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete))
		if err != nil {
			return err
		}
		return createCollection(app, "mutes", collectionRules{
			see: ownerRule("muter"),
			create: ownerCreateRule("muter") + ` && ((muted != "" && post = "") || (muted = "" && post != "")) && muted != ` + callerID +
				` && (post = "" || seesPost(` + callerID + `, post) = true)`,
			update: ownerRule("muter") + fixedFieldsRule("muter", "muted", "post"),
			remove: ownerRule("muter"),
		}, []string{
			uniqueIndexDDL("mutes", "edge", "`muter`, `muted`, `post`"),
			indexDDL("mutes", "muted", "`muted`"),
			indexDDL("mutes", "post", "`post`"),
		},
			relationField(app, "muter", "users", true, cascadeDelete), relationField(app, "muted", "users", false, cascadeDelete),
			relationField(app, "post", "posts", false, cascadeDelete), dateField("until"), boolField("keepNotifications"))
	}, nil)
}
