package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		visible := func(author, expires, visibility string) string {
			return expires + ` > @now && sees(` + callerID + `, ` + author + `, ` + visibility + `) = true`
		}
		err := createCollection(app, "stories", collectionRules{
			see:    ownerOrRule("author", visible("author", "expires", "visibility")),
			create: ownerCreateRule("author"),
			remove: ownerRule("author"),
		}, []string{indexDDL("stories", "author", "`author`, `expires`")},
			relationField(app, "author", "users", true, cascadeDelete), photoField("photo"),
			selectField("visibility", false, "public", "followers"), dateField("expires"))
		if err != nil {
			return err
		}
		return createCollection(app, "story_views", collectionRules{
			see: signedInRule + ` && (viewer = ` + callerID + ` || story.author = ` + callerID + `)`,
			create: ownerCreateRule("viewer") + ` && story.author != ` + callerID + ` && ` +
				visible("story.author", "story.expires", "story.visibility"),
		}, []string{
			uniqueIndexDDL("story_views", "edge", "`story`, `viewer`"),
			indexDDL("story_views", "viewer", "`viewer`"),
		},
			relationField(app, "story", "stories", true, cascadeDelete), relationField(app, "viewer", "users", true, cascadeDelete))
	}, refuseDown)
}
