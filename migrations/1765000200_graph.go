package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// visibleUserRule returns the part of a rule by which the caller must be able to see the user in field: what is not for
// the caller answers like what does not exist.
func visibleUserRule(field string) string {
	return field + `.state = "active" && blockedBy(` + callerID + `, ` + field + `) = false`
}

func init() {
	m.Register(func(app core.App) error {
		err := createCollection(app, "follows", collectionRules{
			see: `(` + ownerRule("follower") + `) || ` + ownerOrRule("followee", `state = "accepted" && (sees(`+callerID+`, followee, "public") = true || sees(`+
				callerID+`, follower, "public") = true) && blocked(`+callerID+`, follower) = false && blocked(`+callerID+`, followee) = false`),
			create: ownerCreateRule("follower") + ` && followee != ` + callerID + ` && followee.state = "active" && blocked(` + callerID + `, followee) = false`,
			update: signedInRule + ` && ((followee = ` + callerID + ` && @request.body.state = "accepted"` + fixedFieldsRule("notify") + `) || (follower = ` + callerID +
				` && @request.body.notify:isset = true` + fixedFieldsRule("state") + `))` + fixedFieldsRule("follower", "followee"),
			remove: signedInRule + ` && (follower = ` + callerID + ` || followee = ` + callerID + `)`,
		}, []string{
			uniqueIndexDDL("follows", "edge", "`follower`, `followee`"),
			indexDDL("follows", "followee", "`followee`, `state`, `created`"),
			// a page reads the follows between the caller and everybody on it: from the index alone, where they lie
			// near to each other
			indexDDL("follows", "out", "`follower`, `followee`, `state`"),
			indexDDL("follows", "in", "`followee`, `follower`, `state`"),
			indexDDL("follows", "bell", "`followee`, `id`") + " WHERE `state` = 'accepted' AND `notify`",
		},
			relationField(app, "follower", "users", true, cascadeDelete), relationField(app, "followee", "users", true, cascadeDelete),
			selectField("state", false, "pending", "accepted"),
			boolField("notify")) // asks for a notification of each new post of the followee
		if err != nil {
			return err
		}
		return createCollection(app, "blocks", collectionRules{
			see:    ownerRule("blocker"),
			create: ownerCreateRule("blocker") + ` && blocked != ` + callerID + ` && ` + visibleUserRule("blocked"),
			remove: ownerRule("blocker"),
		}, []string{
			uniqueIndexDDL("blocks", "edge", "`blocker`, `blocked`"),
			indexDDL("blocks", "blocked", "`blocked`, `blocker`"),
		},
			relationField(app, "blocker", "users", true, cascadeDelete), relationField(app, "blocked", "users", true, cascadeDelete))
	}, refuseDown)
}
