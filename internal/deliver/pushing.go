package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/deliver/push"
	"doubletap/internal/deliver/wording"
	"doubletap/internal/job"
)

type pushPayload struct {
	Device, Notification string
	At                   time.Time
}

// urgent are the types that somebody waits for an answer to.
var urgent = map[string]bool{"comment": true, "reply": true, "mention": true, "follow_request": true, "order": true, "system": true}

// push sends a notification to one device, as it is by now. What was taken back or seen meanwhile is not sent.
func (s *Service) push(ctx context.Context, app core.App, j *job.Job) error {
	var p pushPayload
	if err := j.Payload(&p); err != nil {
		return job.Bury(err)
	}
	if clock.Now(app).Sub(p.At) > push.TTL {
		return nil // no news any more
	}
	n, err := note(app, p.Notification)
	if err != nil || n == nil {
		return err
	}
	var d push.Device
	found, err := db.One(app, &d, `SELECT id, user, kind, endpoint, coalesce(keys, '') keys FROM devices WHERE id = {:id}`, db.Params{"id": p.Device})
	if err != nil || !found || d.User != n.User || s.Channels[d.Kind] == nil {
		return err
	}
	m, err := message(app, n)
	if err != nil {
		return err
	}
	if wanted, err := s.Pushing(app, &d, n, m); err != nil || !wanted {
		return err
	}
	err = s.Channels[d.Kind].Push(ctx, &d, m)
	if errors.Is(err, push.ErrGone) {
		app.Logger().Info("device gone", "device", d.ID, "kind", d.Kind, "err", err)
		_, err = db.Exec(app, `DELETE FROM devices WHERE id = {:id} AND endpoint = {:endpoint}`, db.Params{"id": d.ID, "endpoint": d.Endpoint})
		if err != nil {
			return fmt.Errorf("forget device %s: %w", d.ID, err)
		}
	}
	return err
}

func message(app core.App, n *Note) (*push.Message, error) {
	body, err := n.says(app)
	if err != nil {
		return nil, err
	}
	if quote := n.quote(); quote != "" {
		body += ": " + quote
	}
	var badge int
	_, err = db.Value(app, &badge, `SELECT count(*) FROM notifications WHERE recipient = {:r} AND latestAt > {:seen}`, db.Params{"r": n.User, "seen": n.SeenAt})
	if err != nil {
		return nil, fmt.Errorf("count what %s has not seen: %w", n.User, err)
	}
	return &push.Message{
		Title: wording.Line(app.Settings().Meta.AppName), Body: body, URL: n.url(app), Type: n.Type, Notification: n.ID, Tag: n.ID,
		Badge: badge, At: moment(n.LatestAt), Urgent: urgent[n.Type],
	}, nil
}

// moment reads a date column.
func moment(text string) time.Time {
	t, _ := time.Parse("2006-01-02 15:04:05.000Z", text) // it is empty or one of ours
	return t
}
