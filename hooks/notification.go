package hooks

import (
	"context"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"doubletap/internal/clock"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
	"doubletap/internal/inbox"
	"doubletap/internal/job"
	"doubletap/internal/notification"
)

func (s *Social) bindNotifications() {
	notification.Listen(s.app, notification.Listener{Ask: s.notifying, Told: s.notificationListed})
	s.app.OnRecordCreateExecute("notifications").BindFunc(together(notificationStored))
	s.app.OnRecordUpdateExecute("notifications").BindFunc(together(notificationRead))
	s.app.OnRecordDelete("notifications").BindFunc(together(notificationDismissed))
	s.routes = append(s.routes, route{
		method: "POST", path: "/api/v1/notifications/read", access: users, do: s.trayRead, takes: trayReading{},
		summary: "Marks all notifications up to a time as read, on all devices.",
	})
	s.jobs.Handle(notifiedJob, s.notified, job.Concurrency(8), job.Within(job.Waiting, job.MostWaiting)) // an owner's channel may be slow
}

// notifying lets the owner alter or drop a notice, in its transaction.
func (s *Social) notifying(tx core.App, n *notification.Notice) (bool, error) {
	if s.events.notify.Length() == 0 {
		return true, nil
	}
	e := &NotifyEvent{App: tx, Type: n.Type, List: n.List, Live: n.Live, Push: n.Push, Mail: n.Mail}
	err := errors.Join(
		load(tx, &e.Recipient, "users", n.Recipient), load(tx, &e.Actor, "users", n.Actor),
		load(tx, &e.Post, "posts", n.Post), load(tx, &e.Comment, "comments", n.Comment))
	if err != nil {
		return false, err
	}
	kept := false
	err = s.events.notify.Trigger(e, func(e *NotifyEvent) error {
		kept = true
		n.List, n.Live, n.Push, n.Mail = e.List, e.Live, e.Push, e.Mail
		return nil
	})
	return kept, err
}

// notifiedJob tells the owner's OnNotified of a notification, however often it takes.
const notifiedJob = "notified"

type notifiedPayload struct{ Type, Notification, Recipient, Actor string }

func (s *Social) notificationListed(tx core.App, n *notification.Notice, id string) error {
	if n.Reachable {
		if err := s.deliverTold(tx, n, id); err != nil {
			return err
		}
	}
	if s.events.notified.Length() == 0 {
		return nil
	}
	return job.Add(tx, notifiedJob, notifiedPayload{Type: n.Type, Notification: id, Recipient: n.Recipient, Actor: n.Actor})
}

func (s *Social) notified(_ context.Context, app core.App, j *job.Job) error {
	var p notifiedPayload
	if err := j.Payload(&p); err != nil {
		return err
	}
	e := &NotifiedEvent{App: app, Type: p.Type}
	for _, part := range []struct {
		into           **core.Record
		collection, id string
	}{{&e.Notification, "notifications", p.Notification}, {&e.Recipient, "users", p.Recipient}, {&e.Actor, "users", p.Actor}} {
		err := load(app, part.into, part.collection, part.id)
		if errors.Is(err, fault.ErrGone) {
			return nil // taken back meanwhile: nothing to tell
		}
		if err != nil {
			return err
		}
	}
	return s.events.notified.Trigger(e)
}

// load reads a record into its place, unless there is no id.
func load(app core.App, into **core.Record, collection, id string) (err error) {
	if id != "" {
		*into, err = find(app, collection, id)
	}
	return err
}

// notificationStored gives a notification that a superuser or Go code writes its place in the recipient's tray: it is a
// group of its own.
func notificationStored(tx core.App, e *core.RecordEvent) error {
	recipient := e.Record.GetString("recipient")
	seq, err := notification.NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	e.Record.Set("seq", seq)
	e.Record.Set("groupKey", e.Record.GetString("type")+":"+e.Record.Id+":"+clock.Stamp(tx))
	guard.Default(e.Record, "latestAt", clock.Stamp(tx))
	if err := e.Next(); err != nil {
		return err
	}
	inbox.Changed(tx, recipient)
	return nil
}

// notificationRead gives a row that its recipient marked as read its next place in the order of changes.
func notificationRead(tx core.App, e *core.RecordEvent) error {
	recipient := e.Record.GetString("recipient")
	seq, err := notification.NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	e.Record.Set("seq", seq)
	if err := e.Next(); err != nil {
		return err
	}
	inbox.Changed(tx, recipient)
	return nil
}

// notificationDismissed leaves the retraction of a row that its recipient deletes. Its events stay, so that a repeated like
// does not alert again.
func notificationDismissed(tx core.App, e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	return notification.Leave(tx, e.Record.GetString("recipient"), e.Record.Id)
}

type trayReading struct {
	Before string `json:"before" form:"before" about:"the latestAt of the newest notification that was read"`
}

// trayRead answers POST /api/v1/notifications/read {before}.
func (s *Social) trayRead(e *core.RequestEvent) error {
	var form trayReading
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	before, err := types.ParseDateTime(form.Before)
	if err != nil || before.IsZero() {
		return fault.Invalid("before", "validation_invalid_date", "Must be the latestAt of a notification.")
	}
	if now := clock.Now(e.App); before.Time().After(now) {
		before, _ = types.ParseDateTime(now)
	}
	err = s.writer.Do(func(tx core.App) error {
		if err := notification.MarkRead(tx, e.Auth.Id, before.String()); err != nil {
			return err
		}
		inbox.Updated(tx, e.Auth.Id, "settings")
		return nil
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}
