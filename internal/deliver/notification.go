package deliver

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Notification is a notification as it is when it leaves, and who it is for.
type Notification struct {
	recipientRow
	ID       string `db:"id"`
	Type     string `db:"type"`
	Count    int    `db:"actorsCount"`
	Post     string `db:"post"`
	Caption  string `db:"caption"`
	Text     string `db:"text"` // of the comment
	Read     bool   `db:"read"`
	LatestAt string `db:"latestAt"`
	MailedAt string `db:"mailedAt"`
}

const notificationColumns = recipientColumns + `, n.id, n.type, n.actorsCount, n.post, coalesce(p.caption, '') caption,
	CASE WHEN c.hidden THEN '' ELSE coalesce(c.text, '') END text, n.read, n.latestAt, n.mailedAt`

const notificationTables = ` FROM notifications n JOIN users u ON u.id = n.recipient LEFT JOIN settings s ON s.user = u.id
	LEFT JOIN posts p ON p.id = n.post LEFT JOIN comments c ON c.id = n.comment `

// notMutedCondition leaves out what the recipient has muted since then (the post, or everybody who is named), and what
// is about to leave the tray: its post is gone, or everybody who is named is gone or behind a block.
var notMutedCondition = ` AND (n.post = '' OR p.id IS NOT NULL) AND NOT ` + visibility.SilencesPostSQL("n.recipient", "n.post") + `
	AND (coalesce(json_array_length(n.actors), 0) = 0 OR EXISTS (SELECT 1 FROM json_each(n.actors) a WHERE NOT ` + mutedActorCondition + `))`

// mutedActorCondition is true when the recipient of n is not to be told of the actor a.
var mutedActorCondition = `(` + visibility.SilencesUserSQL("n.recipient", "a.value") + ` OR ` + visibility.EitherBlocksSQL("n.recipient", "a.value") + `
	OR NOT EXISTS (SELECT 1 FROM users o WHERE o.id = a.value AND o.state = 'active'))`

// findNotification returns a notification, or nil when it was taken back, seen or muted, or its recipient is not
// active.
func findNotification(app core.App, id string) (*Notification, error) {
	var n Notification
	found, err := db.QueryOne(app, &n, `SELECT `+notificationColumns+notificationTables+`WHERE n.id = {:id}`+notMutedCondition, db.Params{"id": id, "now": clock.Timestamp(app)})
	if err != nil {
		return nil, fmt.Errorf("read notification %s: %w", id, err)
	}
	if !found || n.isSeen() || n.State != "active" {
		return nil, nil
	}
	return &n, nil
}

func (n *Notification) isSeen() bool { return n.Read || n.LatestAt <= n.SeenAt }

// actorNames returns the display names of up to two of the newest actors, without those who are muted, blocked or gone
// by now.
func (n *Notification) actorNames(app core.App) ([]string, error) {
	var names []string
	err := db.QueryColumn(app, &names, `SELECT coalesce(nullif(trim(u.name), ''), '@' || u.handle) FROM notifications n, json_each(n.actors) a JOIN users u ON u.id = a.value
		WHERE n.id = {:id} AND NOT `+mutedActorCondition+` ORDER BY a.key LIMIT 2`, db.Params{"id": n.ID, "now": clock.Timestamp(app)})
	if err != nil {
		return nil, fmt.Errorf("name the actors of notification %s: %w", n.ID, err)
	}
	return names, nil
}

// sentence returns the notification as a sentence in its recipient's language.
func (n *Notification) sentence(app core.App) (string, error) {
	names, err := n.actorNames(app)
	return phrases.WordsFor(n.Locale).Sentence(n.Type, names, n.Count, app.Settings().Meta.AppName), err
}

// quotedText returns the beginning of the comment, or "" for types that quote none.
func (n *Notification) quotedText() string {
	switch n.Type {
	case "comment", "reply", "mention":
		return phrases.ShortLine(n.Text, 140)
	}
	return ""
}

// linkURL returns the address that shows the notification's post, or the app's home page.
func (n *Notification) linkURL(app core.App) string {
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	if n.Post != "" {
		return base + "/p/" + n.Post
	}
	return base + "/"
}
