package deliver

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/deliver/wording"
)

// Note is a notification as it is when it leaves, and whom it is for.
type Note struct {
	person
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

const noteColumns = personColumns + `, n.id, n.type, n.actorsCount, n.post, coalesce(p.caption, '') caption,
	CASE WHEN c.hidden THEN '' ELSE coalesce(c.text, '') END text, n.read, n.latestAt, n.mailedAt`

const noteTables = ` FROM notifications n JOIN users u ON u.id = n.recipient LEFT JOIN settings s ON s.user = u.id
	LEFT JOIN posts p ON p.id = n.post LEFT JOIN comments c ON c.id = n.comment `

// unmuted leaves out what its person has muted since it was told, the post or everybody who is named, and what is about to leave the tray:
// its post is gone, or everybody who is named is across a block or not there any more.
const unmuted = ` AND (n.post = '' OR p.id IS NOT NULL)
	 AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = n.recipient AND m.muted = '' AND m.post = n.post AND m.post != '' AND ` + silences + `)
	AND (coalesce(json_array_length(n.actors), 0) = 0 OR EXISTS (SELECT 1 FROM json_each(n.actors) a WHERE NOT ` + mutedActor + `))`

const (
	silences   = `NOT m.keepNotifications AND (m.until = '' OR m.until > {:now})`
	mutedActor = `(EXISTS (SELECT 1 FROM mutes m WHERE m.muter = n.recipient AND m.muted = a.value AND m.post = '' AND ` + silences + `)
		OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = n.recipient AND b.blocked = a.value) OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = a.value AND b.blocked = n.recipient)
		OR NOT EXISTS (SELECT 1 FROM users o WHERE o.id = a.value AND o.state = 'active'))`
)

// note reads a notification; nil when it was taken back, seen or muted, or its person is not there to be told.
func note(app core.App, id string) (*Note, error) {
	var n Note
	found, err := db.One(app, &n, `SELECT `+noteColumns+noteTables+`WHERE n.id = {:id}`+unmuted, db.Params{"id": id, "now": clock.Stamp(app)})
	if err != nil {
		return nil, fmt.Errorf("read notification %s: %w", id, err)
	}
	if !found || n.seen() || n.State != "active" {
		return nil, nil
	}
	return &n, nil
}

func (n *Note) seen() bool { return n.Read || n.LatestAt <= n.SeenAt }

// names are what the newest actors call themselves, but for those who are muted, blocked or gone by now.
func (n *Note) names(app core.App) ([]string, error) {
	var names []string
	err := db.Column(app, &names, `SELECT coalesce(nullif(trim(u.name), ''), '@' || u.handle) FROM notifications n, json_each(n.actors) a JOIN users u ON u.id = a.value
		WHERE n.id = {:id} AND NOT `+mutedActor+` ORDER BY a.key LIMIT 2`, db.Params{"id": n.ID, "now": clock.Stamp(app)})
	if err != nil {
		return nil, fmt.Errorf("name the actors of notification %s: %w", n.ID, err)
	}
	return names, nil
}

// says is the notification in a sentence.
func (n *Note) says(app core.App) (string, error) {
	names, err := n.names(app)
	return wording.In(n.Locale).Told(n.Type, names, n.Count, app.Settings().Meta.AppName), err
}

// quote is what was said, where something was.
func (n *Note) quote() string {
	switch n.Type {
	case "comment", "reply", "mention":
		return wording.Short(n.Text, 140)
	}
	return ""
}

// url is where it can be seen.
func (n *Note) url(app core.App) string {
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	if n.Post != "" {
		return base + "/p/" + n.Post
	}
	return base + "/"
}
