package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := createCollection(app, "likes", collectionRules{
			see:    ownerOrRule("user", `seesPost(`+callerID+`, post) = true && blocked(`+callerID+`, user) = false`),
			create: ownerCreateRule("user") + ` && seesPost(` + callerID + `, post) = true`,
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("likes", "edge", "`post`, `user`"),
			indexDDL("likes", "user", "`user`, `created`"),
			indexDDL("likes", "post", "`post`, `created`"),
		},
			relationField(app, "post", "posts", true, cascadeDelete), relationField(app, "user", "users", true, cascadeDelete))
		if err != nil {
			return err
		}
		return createCollection(app, "saves", collectionRules{
			see:    ownerRule("user"),
			create: ownerCreateRule("user") + ` && seesPost(` + callerID + `, post) = true`,
			update: ownerRule("user") + fixedFieldsRule("user", "post"),
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("saves", "edge", "`user`, `post`"),
			indexDDL("saves", "post", "`post`"),
		},
			relationField(app, "post", "posts", true, cascadeDelete), relationField(app, "user", "users", true, cascadeDelete), textField("board", 60))
	}, refuseDown)
}
