package reconcile

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/notification"
)

// recent is how old a deed may be of which somebody is still told.
const recent = 7 * 24 * time.Hour

// untold are recent deeds of which nobody was ever told, as rows t of the one who did it, whom it concerns, and where the deed is.
// Whatever is told leaves an event, also where a mute, a block or an owner's hook keeps it out of the tray.
// While an account is being erased its events go before its rows or after them.
const untold = `(
		SELECT l.id, 'likes' deed, l.user actor, p.author recipient, l.created FROM likes l JOIN posts p ON p.id = l.post
		WHERE l.created > {:since} AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.recipient = p.author AND e.type = 'like' AND e.subject = l.post AND e.actor = l.user)
	UNION ALL
		SELECT l.id, 'comment_likes', l.user, c.author, l.created FROM comment_likes l JOIN comments c ON c.id = l.comment JOIN posts p ON p.id = c.post
		WHERE l.created > {:since} AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.recipient = c.author AND e.type = 'comment_like' AND e.subject = l.comment AND e.actor = l.user)
	UNION ALL
		SELECT c.id, 'comments', c.author, p.author, c.created FROM comments c JOIN posts p ON p.id = c.post
		WHERE c.created > {:since} AND c.parent = '' AND NOT c.deleted AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.recipient = p.author AND e.type = 'comment' AND e.subject = c.post AND e.actor = c.author)
	UNION ALL
		SELECT f.id, 'follows', f.follower, f.followee, f.created FROM follows f
		WHERE f.created > {:since} AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.recipient = f.followee AND e.type IN ('follow', 'follow_request') AND e.subject = f.followee AND e.actor = f.follower)
	) t JOIN users a ON a.id = t.actor JOIN users r ON r.id = t.recipient
	WHERE t.actor != t.recipient AND a.state != 'deleting' AND r.state != 'deleting'`

type missing struct {
	ID   string `db:"id"`
	Deed string `db:"deed"`
}

func lookMissing(app core.App, f *Found) error {
	all, err := findMissing(app)
	if err != nil {
		return err
	}
	n, first := map[string]int{}, map[string]string{}
	for _, m := range all {
		if n[m.Deed]++; n[m.Deed] == 1 {
			first[m.Deed] = m.ID
		}
	}
	for _, deed := range []string{"likes", "comment_likes", "comments", "follows"} {
		f.Fail(n[deed], "%d %s that nobody was told of, as %s", n[deed], deed, first[deed])
	}
	return nil
}

func findMissing(app core.App) (all []missing, err error) {
	err = db.All(app, &all, `SELECT t.id, t.deed FROM `+untold+` ORDER BY t.created`, db.Params{"since": clock.Text(clock.Now(app).Add(-recent))})
	return all, err
}

// repairMissing tells them now.
func repairMissing(tx core.App) (int64, error) {
	all, err := findMissing(tx)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		deed, err := tx.FindRecordById(m.Deed, m.ID)
		if err != nil {
			return 0, fmt.Errorf("find %s %s: %w", m.Deed, m.ID, err)
		}
		switch m.Deed {
		case "likes":
			var post *core.Record
			if post, err = tx.FindRecordById("posts", deed.GetString("post")); err == nil {
				err = notification.Liked(tx, deed.GetString("user"), post.Id, post.GetString("author"))
			}
		case "comment_likes":
			var comment *core.Record
			if comment, err = tx.FindRecordById("comments", deed.GetString("comment")); err == nil {
				err = notification.CommentLiked(tx, deed, comment)
			}
		case "comments":
			var post *core.Record
			if post, err = tx.FindRecordById("posts", deed.GetString("post")); err == nil {
				err = notification.Commented(tx, deed, post, nil)
			}
		case "follows":
			err = notification.Followed(tx, deed)
		}
		if err != nil {
			return 0, fmt.Errorf("tell of %s %s: %w", m.Deed, m.ID, err)
		}
	}
	return int64(len(all)), nil
}
