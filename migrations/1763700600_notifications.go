package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		types := []string{"like", "comment", "reply", "comment_like", "mention", "follow", "follow_request", "follow_accepted", "order", "system"}
		actors := relationField(app, "actors", "users", false, !cascadeDelete)
		actors.MaxSelect = 8
		err := createCollection(app, "notifications", collectionRules{
			see:    ownerRule("recipient"),
			update: ownerRule("recipient") + ` && @request.body.read = true`,
			remove: ownerRule("recipient"),
		}, []string{
			uniqueIndexDDL("notifications", "group", "`recipient`, `groupKey`"),
			uniqueIndexDDL("notifications", "seq", "`recipient`, `seq`"),
			indexDDL("notifications", "latest", "`recipient`, `latestAt` DESC"),
			indexDDL("notifications", "post", "`post`"),
			indexDDL("notifications", "comment", "`comment`"),
		},
			relationField(app, "recipient", "users", true, cascadeDelete), selectField("type", true, types...),
			actors, numberField("actorsCount"),
			relationField(app, "post", "posts", false, cascadeDelete), relationField(app, "comment", "comments", false, cascadeDelete),
			boolField("read"), dateField("latestAt"), numberField("seq"), hiddenTextField("groupKey", 120))
		if err != nil {
			return err
		}
		err = createCollection(app, "retractions", collectionRules{see: ownerRule("recipient")},
			[]string{
				uniqueIndexDDL("retractions", "seq", "`recipient`, `seq`"),
				indexDDL("retractions", "created", "`created`"),
			},
			relationField(app, "recipient", "users", true, cascadeDelete), textField("notification", 30), numberField("seq"))
		if err != nil {
			return err
		}
		err = createInternalCollection(app, "notification_events",
			[]string{
				uniqueIndexDDL("notification_events", "event", "`recipient`, `type`, `subject`, `actor`"),
				indexDDL("notification_events", "group", "`notification`, `active`, `created`"),
				indexDDL("notification_events", "actor", "`actor`"),
				// likes, the most frequent events, are found by their recipient
				indexDDL("notification_events", "subject", "`subject`") + " WHERE `type` != 'like'",
			},
			// the row of the tray that shows the event; empty if none does
			relationField(app, "notification", "notifications", false, cascadeDelete),
			relationField(app, "recipient", "users", true, cascadeDelete), relationField(app, "actor", "users", true, cascadeDelete),
			selectField("type", true, types...), textField("subject", 30), boolField("active"), dateField("alertedAt"))
		if err != nil {
			return err
		}
		return createCollection(app, "devices", collectionRules{
			see:    ownerRule("user"),
			create: ownerCreateRule("user"),
			update: ownerRule("user") + fixedFieldsRule("user"),
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("devices", "endpoint", "`endpoint`"),
			indexDDL("devices", "user", "`user`"),
		},
			relationField(app, "user", "users", true, cascadeDelete), selectField("kind", true, "webpush", "fcm", "apns"),
			&core.TextField{Name: "endpoint", Required: true, Max: 2000}, jsonField("keys", 4_000), textField("name", 100), dateField("lastSeen"))
	}, nil)
}
