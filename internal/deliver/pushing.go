package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

type pushPayload struct {
	Device, Notification string
	At                   time.Time
}

// urgentTypes are the types about which somebody waits for an answer.
var urgentTypes = map[string]bool{"comment": true, "reply": true, "mention": true, "follow_request": true, "order": true, "system": true}

// deliverPush sends a notification, as it is now, to one device. It sends nothing when the notification was taken back
// or seen meanwhile.
func (s *Service) deliverPush(ctx context.Context, app core.App, j *job.Job) error {
	var p pushPayload
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	var d push.Device
	found, err := db.QueryOne(app, &d, `SELECT id, user, kind, endpoint, coalesce(keys, '') keys, answeredAt, failingSince FROM devices WHERE id = {:id}`, db.Params{"id": p.Device})
	if err != nil || !found {
		return err
	}
	if clock.Now(app).Sub(p.At) > push.TTL { // too old to be sent
		_, err := forgetSilentDevice(app, &d)
		return err
	}
	n, err := findNotification(app, p.Notification)
	if err != nil || n == nil || d.User != n.User || s.Channels[d.Kind] == nil {
		return err
	}
	m, err := newPushMessage(app, n)
	if err != nil {
		return err
	}
	if wanted, err := s.BeforePush(app, &d, n, m); err != nil || !wanted {
		return err
	}
	return recordPushOutcome(app, &d, s.Channels[d.Kind].Push(ctx, &d, m))
}

// recordPushOutcome records how a push to a device ended, and returns what that means for the job.
func recordPushOutcome(app core.App, d *push.Device, outcome error) error {
	switch {
	case outcome == nil:
		return recordAnswer(app, d)
	case errors.Is(outcome, push.ErrDeviceGone):
		app.Logger().Info("device gone", "device", d.ID, "kind", d.Kind, "err", outcome)
		return deleteDevice(app, d)
	case errors.Is(outcome, push.ErrNoAnswer) && d.Host() != "" && d.FailingSince == "":
		d.FailingSince = clock.Timestamp(app)
		_, err := db.Exec(app, `UPDATE devices SET failingSince = {:now} WHERE id = {:id} AND endpoint = {:endpoint} AND failingSince = ''`,
			db.Params{"id": d.ID, "endpoint": d.Endpoint, "now": d.FailingSince})
		if err != nil {
			return fmt.Errorf("note that device %s is silent: %w", d.ID, err)
		}
		return outcome
	}
	if forgotten, err := forgetSilentDevice(app, d); err != nil || forgotten {
		return err
	}
	return outcome
}

// recordAnswer records that a device took a message: once a day, as long as it takes all of them.
func recordAnswer(app core.App, d *push.Device) error {
	now := clock.Now(app)
	if d.FailingSince == "" && d.AnsweredAt > clock.FormatTime(now.Add(-24*time.Hour)) {
		return nil
	}
	_, err := db.Exec(app, `UPDATE devices SET answeredAt = {:now}, failingSince = '' WHERE id = {:id} AND endpoint = {:endpoint}`,
		db.Params{"id": d.ID, "endpoint": d.Endpoint, "now": clock.FormatTime(now)})
	if err != nil {
		app.Logger().Error("answer of a device not noted", "device", d.ID, "err", err) // not returned: the device has the message
	}
	return nil
}

// silenceTimeout is for how long a device that has never answered is tried.
const silenceTimeout = 24 * time.Hour

// forgetSilentDevice deletes a device that has never taken a message and has not answered for a day: its host may have
// been chosen by somebody who only wants us to ask it. It reports whether it did.
func forgetSilentDevice(app core.App, d *push.Device) (bool, error) {
	if d.AnsweredAt != "" || d.FailingSince == "" || d.FailingSince > clock.FormatTime(clock.Now(app).Add(-silenceTimeout)) {
		return false, nil
	}
	app.Logger().Info("device never answered", "device", d.ID, "kind", d.Kind, "account", d.User, "since", d.FailingSince)
	return true, deleteDevice(app, d)
}

func deleteDevice(app core.App, d *push.Device) error {
	err := app.RunInTransaction(func(tx core.App) error {
		_, err := sweep.DeleteRows(tx, "devices", `id = {:id} AND endpoint = {:endpoint}`, db.Params{"id": d.ID, "endpoint": d.Endpoint})
		return err
	})
	if err != nil {
		return fmt.Errorf("forget device %s: %w", d.ID, err)
	}
	return nil
}

func newPushMessage(app core.App, n *Notification) (*push.Message, error) {
	body, err := n.sentence(app)
	if err != nil {
		return nil, err
	}
	if quote := n.quotedText(); quote != "" {
		body += ": " + quote
	}
	var badge int
	_, err = db.QueryValue(app, &badge, `SELECT count(*) FROM notifications WHERE recipient = {:r} AND latestAt > {:seen}`, db.Params{"r": n.User, "seen": n.SeenAt})
	if err != nil {
		return nil, fmt.Errorf("count what %s has not seen: %w", n.User, err)
	}
	return &push.Message{
		Title: phrases.SingleLine(app.Settings().Meta.AppName), Body: body, URL: n.linkURL(app), Type: n.Type, Notification: n.ID, Tag: n.ID,
		Badge: badge, At: parseDate(n.LatestAt), Urgent: urgentTypes[n.Type],
	}, nil
}

// parseDate returns the time of a date column's text, zero if that is empty.
func parseDate(text string) time.Time {
	t, _ := clock.ParseTime(text) // the text is empty or one that we stored
	return t
}
