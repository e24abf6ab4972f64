package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		postsCount := number("postsCount")
		err := create(app, "posts", rules{
			see:    either("author", `hidden = false && sees(`+me+`, author, visibility) = true`),
			create: mine("author") + ` && @request.auth.state = "active"`,
			update: own("author") + fixed("author", "photos"),
			remove: own("author"),
		}, []string{
			index("posts", "author", "`author`, `created` DESC"),
			index("posts", "created", "`created` DESC"),
		},
			relation(app, "author", "users", true, cascades),
			&core.FileField{
				Name: "photos", Required: true, MaxSelect: 10, MaxSize: 50 << 20,
				// protected: who may not see the post gets no file; a public post's photo needs no token
				Protected: true,
				MimeTypes: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"},
				Thumbs:    []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"},
			},
			object("alts", 20_000), object("media", 20_000),
			text("caption", 2200),
			choice("visibility", false, "public", "followers", "private"),
			text("place", 120), &core.GeoPointField{Name: "geo"},
			flag("commentsOff"), flag("hidden"),
			number("likesCount"), number("commentsCount"))
		if err != nil {
			return err
		}
		banned := flag("banned")
		banned.Hidden = true
		err = create(app, "hashtags", rules{see: `banned = false && seesTag(` + me + `, id) = true`},
			[]string{unique("hashtags", "name", "`name`")},
			&core.TextField{Name: "name", Required: true, Max: 100, Presentable: true}, postsCount, banned)
		if err != nil {
			return err
		}
		err = create(app, "post_tags", rules{see: `seesPost(` + me + `, post) = true`},
			[]string{
				unique("post_tags", "edge", "`tag`, `post`"),
				index("post_tags", "newest", "`tag`, `created` DESC"),
				index("post_tags", "post", "`post`"),
			},
			relation(app, "tag", "hashtags", true, cascades), relation(app, "post", "posts", true, cascades))
		if err != nil {
			return err
		}
		return create(app, "mutes", rules{
			see: own("muter"),
			create: mine("muter") + ` && ((muted != "" && post = "") || (muted = "" && post != "")) && muted != ` + me +
				` && (post = "" || seesPost(` + me + `, post) = true)`,
			update: own("muter") + fixed("muter", "muted", "post"),
			remove: own("muter"),
		}, []string{
			unique("mutes", "edge", "`muter`, `muted`, `post`"),
			index("mutes", "muted", "`muted`"),
			index("mutes", "post", "`post`"),
		},
			relation(app, "muter", "users", true, cascades), relation(app, "muted", "users", false, cascades),
			relation(app, "post", "posts", false, cascades), date("until"), flag("keepNotifications"))
	}, nil)
}
