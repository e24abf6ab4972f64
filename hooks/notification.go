package hooks

import (
	"context"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindNotifications() {
	notification.SetListener(s.app, notification.Listener{Intercept: s.runNotifyHook, Listed: s.notificationListed})
	s.app.OnRecordCreateExecute("notifications").BindFunc(inTx(notificationStored))
	s.app.OnRecordUpdateExecute("notifications").BindFunc(inTx(notificationRead))
	s.app.OnRecordDelete("notifications").BindFunc(inTx(notificationDismissed))
	s.routes = append(s.routes, web.Route{
		Method: "POST", Path: "/api/v1/notifications/read", Access: web.UsersOnly, Handle: s.markTrayRead, RequestBody: trayReadForm{},
		Summary: "Marks all notifications up to a time as read, on all devices.",
	})
	s.jobs.Handle(notifiedJob, s.runNotifiedHook, job.Concurrency(8), job.WithinGroup(job.ExternalGroup, job.MaxExternal)) // an owner's channel may be slow
}

// runNotifyHook runs the owner's hooks, which may alter the event, in its transaction. It returns false if they drop
// it.
func (s *Social) runNotifyHook(tx core.App, n *notification.Event) (bool, error) {
	if s.events.notify.Length() == 0 {
		return true, nil
	}
	e := &NotifyEvent{App: tx, Type: n.Type, List: n.List, Live: n.Live, Push: n.Push, Mail: n.Mail}
	err := errors.Join(
		loadRecord(tx, &e.Recipient, "users", n.Recipient), loadRecord(tx, &e.Actor, "users", n.Actor),
		loadRecord(tx, &e.Post, "posts", n.Post), loadRecord(tx, &e.Comment, "comments", n.Comment))
	if err != nil {
		return false, err
	}
	passed := false
	err = s.events.notify.Trigger(e, func(e *NotifyEvent) error {
		passed = true
		n.List, n.Live, n.Push, n.Mail = e.List, e.Live, e.Push, e.Mail
		return nil
	})
	return passed, err
}

// notifiedJob is the kind of the job that runs the owner's OnNotified, again after each error.
const notifiedJob = "notified"

type notifiedPayload struct{ Type, Notification, Recipient, Actor string }

func (s *Social) notificationListed(tx core.App, n *notification.Event, id string) error {
	if n.Reachable {
		if err := s.queueDelivery(tx, n, id); err != nil {
			return err
		}
	}
	if s.events.notified.Length() == 0 {
		return nil
	}
	return job.Enqueue(tx, notifiedJob, notifiedPayload{Type: n.Type, Notification: id, Recipient: n.Recipient, Actor: n.Actor})
}

func (s *Social) runNotifiedHook(_ context.Context, app core.App, j *job.Job) error {
	var p notifiedPayload
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	e := &NotifiedEvent{App: app, Type: p.Type}
	for _, part := range []struct {
		into           **core.Record
		collection, id string
	}{{&e.Notification, "notifications", p.Notification}, {&e.Recipient, "users", p.Recipient}, {&e.Actor, "users", p.Actor}} {
		err := loadRecord(app, part.into, part.collection, part.id)
		if errors.Is(err, fault.ErrGone) {
			return nil // taken back meanwhile: nothing to tell
		}
		if err != nil {
			return err
		}
	}
	return s.events.notified.Trigger(e)
}

// loadRecord reads a record into *into, unless the id is empty.
func loadRecord(app core.App, into **core.Record, collection, id string) (err error) {
	if id != "" {
		*into, err = db.RequireRecord(app, collection, id)
	}
	return err
}

// notificationStored gives a notification that a superuser or Go code writes its place in the recipient's tray, in a
// group of its own.
func notificationStored(tx core.App, e *core.RecordEvent) error {
	recipient := e.Record.GetString("recipient")
	seq, err := notification.NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	e.Record.Set("seq", seq)
	e.Record.Set("groupKey", e.Record.GetString("type")+":"+e.Record.Id+":"+clock.Timestamp(tx))
	guard.SetDefault(e.Record, "latestAt", clock.Timestamp(tx))
	if err := e.Next(); err != nil {
		return err
	}
	inbox.NotificationsChanged(tx, recipient)
	return nil
}

// notificationRead gives a row that its recipient has marked as read the next place in the order of changes.
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
	inbox.NotificationsChanged(tx, recipient)
	return nil
}

// notificationDismissed records the retraction of a row that its recipient deletes. Its events stay, so that a
// repeated like does not alert again.
func notificationDismissed(tx core.App, e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	return notification.RecordRetraction(tx, e.Record.GetString("recipient"), e.Record.Id)
}

type trayReadForm struct {
	Before string `json:"before" form:"before" about:"the latestAt of the newest notification that was read"`
}

// markTrayRead answers POST /api/v1/notifications/read {before}.
func (s *Social) markTrayRead(e *core.RequestEvent) error {
	var form trayReadForm
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	before, err := types.ParseDateTime(form.Before)
	if err != nil || before.IsZero() {
		return fault.InvalidField("before", "validation_invalid_date", "Must be the latestAt of a notification.")
	}
	if now := clock.Now(e.App); before.Time().After(now) {
		before, _ = types.ParseDateTime(now)
	}
	err = s.writer.InSharedTx(func(tx core.App) error {
		if err := notification.MarkRead(tx, e.Auth.Id, before.String()); err != nil {
			return err
		}
		inbox.PersonRowChanged(tx, e.Auth.Id, "settings")
		return nil
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}
