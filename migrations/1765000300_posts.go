package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		photos := photoField("photos")
		photos.MaxSelect = 10
		err := createCollection(app, "posts", collectionRules{
			see:    ownerOrRule("author", `hidden = false && sees(`+callerID+`, author, visibility) = true`),
			create: ownerCreateRule("author") + ` && @request.auth.state = "active"`,
			update: ownerRule("author") + fixedFieldsRule("author", "photos"),
			remove: ownerRule("author"),
		}, []string{
			// these two contain all that the choice and the order of a feed's posts need
			indexDDL("posts", "author", "`author`, `created` DESC, `id` DESC"),
			indexDDL("posts", "created", "`created` DESC, `id` DESC, `author`"),
			indexDDL("posts", "public", "`author`, `id`") + " WHERE `visibility` = 'public' AND `hidden` = 0",
		},
			relationField(app, "author", "users", true, cascadeDelete),
			photos,
			jsonField("alts", 20_000), jsonField("media", 20_000),
			textField("caption", 2200),
			selectField("visibility", false, "public", "followers", "private"),
			textField("place", 120), &core.GeoPointField{Name: "geo"},
			boolField("commentsOff"), boolField("hidden"),
			numberField("likesCount"), numberField("commentsCount"))
		if err != nil {
			return err
		}
		// name is the folded form of what people write, so that #Fußball and #FUSSBALL are one; displayName is the
		// form that is shown. A row without displayName waits for the job that folds its name.
		err = createCollection(app, "hashtags", collectionRules{see: `banned = false && seesTag(` + callerID + `, id) = true`},
			[]string{
				uniqueIndexDDL("hashtags", "name", "`name`"),
				indexDDL("hashtags", "unfolded", "`id`") + " WHERE `displayName` = ''",
			},
			&core.TextField{Name: "name", Required: true, Max: 100, Presentable: true}, numberField("postsCount"), hiddenBoolField("banned"), textField("displayName", 100))
		if err != nil {
			return err
		}
		err = createCollection(app, "post_tags", collectionRules{see: `seesPost(` + callerID + `, post) = true`},
			[]string{
				uniqueIndexDDL("post_tags", "edge", "`tag`, `post`"),
				indexDDL("post_tags", "newest", "`tag`, `created` DESC"),
				indexDDL("post_tags", "post", "`post`"),
			},
			relationField(app, "tag", "hashtags", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete), hiddenBoolField("counted"))
		if err != nil {
			return err
		}
		return createCollection(app, "mutes", collectionRules{
			see: ownerRule("muter"),
			create: ownerCreateRule("muter") + ` && ((muted != "" && post = "") || (muted = "" && post != "")) && muted != ` + callerID +
				` && (muted = "" || (` + visibleUserRule("muted") + `)) && (post = "" || seesPost(` + callerID + `, post) = true)`,
			update: ownerRule("muter") + fixedFieldsRule("muter", "muted", "post"),
			remove: ownerRule("muter"),
		}, []string{
			uniqueIndexDDL("mutes", "edge", "`muter`, `muted`, `post`"),
			indexDDL("mutes", "muted", "`muted`"),
			indexDDL("mutes", "post", "`post`"),
		},
			relationField(app, "muter", "users", true, cascadeDelete), relationField(app, "muted", "users", false, cascadeDelete),
			relationField(app, "post", "posts", false, cascadeDelete), dateField("until"), boolField("keepNotifications"))
	}, refuseDown)
}

// photoField returns the field of one photo. It is protected: a caller who may not see its record gets no file, while a
// photo that everybody may see needs no token.
func photoField(name string) *core.FileField {
	return &core.FileField{
		Name: name, Required: true, MaxSelect: 1, MaxSize: 50 << 20, Protected: true,
		MimeTypes: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"},
		Thumbs:    photoSizes,
	}
}
