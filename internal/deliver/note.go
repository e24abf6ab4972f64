package deliver

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/deliver/wording"
)

// Note is a notification as it is when it leaves, and whom it is for.
type Note struct {
	person
	ID       string `db:"id"`
	Type     string `db:"type"`
	Actors   string `db:"actors"`
	Count    int    `db:"actorsCount"`
	Post     string `db:"post"`
	Caption  string `db:"caption"`
	Text     string `db:"text"` // of the comment
	Read     bool   `db:"read"`
	LatestAt string `db:"latestAt"`
	MailedAt string `db:"mailedAt"`
}

const noteColumns = personColumns + `, n.id, n.type, coalesce(n.actors, '[]') actors, n.actorsCount, n.post, coalesce(p.caption, '') caption,
	CASE WHEN c.hidden THEN '' ELSE coalesce(c.text, '') END text, n.read, n.latestAt, n.mailedAt`

const noteTables = ` FROM notifications n JOIN users u ON u.id = n.recipient LEFT JOIN settings s ON s.user = u.id
	LEFT JOIN posts p ON p.id = n.post LEFT JOIN comments c ON c.id = n.comment `

// note reads a notification; nil when it was taken back, or seen, or its person is not there to be told.
func note(app core.App, id string) (*Note, error) {
	var n Note
	found, err := db.One(app, &n, `SELECT `+noteColumns+noteTables+`WHERE n.id = {:id}`, db.Params{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read notification %s: %w", id, err)
	}
	if !found || n.seen() || n.State != "active" {
		return nil, nil
	}
	return &n, nil
}

func (n *Note) seen() bool { return n.Read || n.LatestAt <= n.SeenAt }

// names are what the newest actors call themselves.
func (n *Note) names(app core.App) ([]string, error) {
	var names []string
	err := db.Column(app, &names, `SELECT coalesce(nullif(trim(u.name), ''), '@' || u.handle) FROM json_each({:actors}) a JOIN users u ON u.id = a.value ORDER BY a.key LIMIT 2`,
		db.Params{"actors": n.Actors})
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
