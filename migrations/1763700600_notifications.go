package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		types := []string{"like", "comment", "reply", "comment_like", "mention", "follow", "follow_request", "follow_accepted", "order", "system"}
		actors := relation(app, "actors", "users", false, !cascades)
		actors.MaxSelect = 8
		err := create(app, "notifications", rules{
			see:    own("recipient"),
			update: own("recipient") + ` && @request.body.read = true`,
			remove: own("recipient"),
		}, []string{
			unique("notifications", "group", "`recipient`, `groupKey`"),
			unique("notifications", "seq", "`recipient`, `seq`"),
			index("notifications", "latest", "`recipient`, `latestAt` DESC"),
			index("notifications", "post", "`post`"),
			index("notifications", "comment", "`comment`"),
		},
			relation(app, "recipient", "users", true, cascades), choice("type", true, types...),
			actors, number("actorsCount"),
			relation(app, "post", "posts", false, cascades), relation(app, "comment", "comments", false, cascades),
			flag("read"), date("latestAt"), number("seq"), hiddenText("groupKey", 120))
		if err != nil {
			return err
		}
		err = create(app, "retractions", rules{see: own("recipient")},
			[]string{
				unique("retractions", "seq", "`recipient`, `seq`"),
				index("retractions", "created", "`created`"),
			},
			relation(app, "recipient", "users", true, cascades), text("notification", 30), number("seq"))
		if err != nil {
			return err
		}
		err = createInternal(app, "notification_events",
			[]string{
				unique("notification_events", "event", "`recipient`, `type`, `subject`, `actor`"),
				index("notification_events", "group", "`notification`, `active`, `created`"),
				index("notification_events", "actor", "`actor`"),
				// likes, which are most, are found by their recipient
				index("notification_events", "subject", "`subject`") + " WHERE `type` != 'like'",
			},
			// the row of the tray that shows the event; empty when none does
			relation(app, "notification", "notifications", false, cascades),
			relation(app, "recipient", "users", true, cascades), relation(app, "actor", "users", true, cascades),
			choice("type", true, types...), text("subject", 30), flag("active"), date("alertedAt"))
		if err != nil {
			return err
		}
		return create(app, "devices", rules{
			see:    own("user"),
			create: mine("user"),
			update: own("user") + fixed("user"),
			remove: own("user"),
		}, []string{
			unique("devices", "endpoint", "`endpoint`"),
			index("devices", "user", "`user`"),
		},
			relation(app, "user", "users", true, cascades), choice("kind", true, "webpush", "fcm", "apns"),
			&core.TextField{Name: "endpoint", Required: true, Max: 2000}, object("keys", 4_000), text("name", 100), date("lastSeen"))
	}, nil)
}
