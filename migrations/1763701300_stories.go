package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		visible := func(author, expires, visibility string) string {
			return expires + ` > @now && sees(` + me + `, ` + author + `, ` + visibility + `) = true`
		}
		err := create(app, "stories", rules{
			see:    either("author", visible("author", "expires", "visibility")),
			create: mine("author"),
			remove: own("author"),
		}, []string{index("stories", "author", "`author`, `expires`")},
			relation(app, "author", "users", true, cascades),
			&core.FileField{
				Name: "photo", Required: true, MaxSelect: 1, MaxSize: 50 << 20,
				// protected, as those of posts are
				Protected: true,
				MimeTypes: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"},
				Thumbs:    []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"},
			},
			choice("visibility", false, "public", "followers"), date("expires"))
		if err != nil {
			return err
		}
		return create(app, "story_views", rules{
			see: auth + ` && (viewer = ` + me + ` || story.author = ` + me + `)`,
			create: mine("viewer") + ` && story.author != ` + me + ` && ` +
				visible("story.author", "story.expires", "story.visibility"),
		}, []string{
			unique("story_views", "edge", "`story`, `viewer`"),
			index("story_views", "viewer", "`viewer`"),
		},
			relation(app, "story", "stories", true, cascades), relation(app, "viewer", "users", true, cascades))
	}, nil)
}
