package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		types := []string{"like", "comment", "reply", "comment_like", "mention", "follow", "follow_request", "follow_accepted", "order", "system", "post"}
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
			indexDDL("notifications", "unread", "`recipient`, `latestAt`") + " WHERE `read` = 0",
			indexDDL("notifications", "post", "`post`"),
			indexDDL("notifications", "comment", "`comment`"),
		},
			relationField(app, "recipient", "users", true, cascadeDelete), selectField("type", true, types...),
			actors, numberField("actorsCount"),
			relationField(app, "post", "posts", false, cascadeDelete), relationField(app, "comment", "comments", false, cascadeDelete),
			boolField("read"), dateField("latestAt"), numberField("seq"), hiddenTextField("groupKey", 120),
			hiddenDateField("pushedAt"), hiddenDateField("mailedAt"), // when it was last sent to devices and by mail
			textField("message", 60),    // the subject of a notification of type system
			hiddenNumberField("silent")) // the seq of a change that is in the tray but of which no device is notified
		if err != nil {
			return err
		}
		err = createCollection(app, "retractions", collectionRules{see: ownerRule("recipient")},
			[]string{
				uniqueIndexDDL("retractions", "seq", "`recipient`, `seq`"),
				indexDDL("retractions", "created", "`created`"),
				uniqueIndexDDL("retractions", "notification", "`recipient`, `notification`") + " WHERE `notification` != ''",
			},
			relationField(app, "recipient", "users", true, cascadeDelete), textField("notification", 30), numberField("seq"))
		if err != nil {
			return err
		}
		return createInternalCollection(app, "notification_events",
			[]string{
				uniqueIndexDDL("notification_events", "event", "`recipient`, `type`, `subject`, `actor`"),
				indexDDL("notification_events", "group", "`notification`, `active`, `created`"),
				// for counting an actor's alerts to one recipient
				indexDDL("notification_events", "actor", "`actor`, `recipient`, `alertedAt`"),
				// likes, the most frequent events, are found by their recipient
				indexDDL("notification_events", "subject", "`subject`") + " WHERE `type` != 'like'",
			},
			// the row of the tray that shows the event; empty if none does
			relationField(app, "notification", "notifications", false, cascadeDelete),
			relationField(app, "recipient", "users", true, cascadeDelete), relationField(app, "actor", "users", true, cascadeDelete),
			selectField("type", true, types...), textField("subject", 30), boolField("active"), dateField("alertedAt"),
			hiddenBoolField("silent"),     // listed in the tray without an alert: its actor had no alerts left in that hour
			hiddenTextField("former", 30)) // the notification that showed the event before it left the tray: it comes back under the same id
	}, refuseDown)
}
