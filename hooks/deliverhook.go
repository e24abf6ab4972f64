package hooks

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/fault"
)

// PushEvent is a notification that is about to be sent to one device, after the commit; see OnPush. Title, Body, URL,
// Badge and Urgent may be altered.
type PushEvent struct {
	hook.Event
	App          core.App
	Type         string // that of the notification
	Recipient    *core.Record
	Notification *core.Record
	Device       *core.Record
	Title, Body  string
	URL          string // where a tap leads
	Badge        int
	Urgent       bool
}

// Tags makes a handler of OnPush("like") run for that type alone.
func (e *PushEvent) Tags() []string { return []string{e.Type} }

// MailEvent is a mail that is about to be sent, after the commit; see OnMail. Its message may be altered.
type MailEvent struct {
	hook.Event
	App       core.App
	Type      string       // that of a notification, "digest", or "letter" for a mail that belongs to no tray
	Recipient *core.Record // nil for a letter
	Message   *mailer.Message
}

// Tags makes a handler of OnMail("like") run for that type alone.
func (e *MailEvent) Tags() []string { return []string{e.Type} }

// OnPush runs in a job before a notification of the types, or of any if there are none, is sent to a device. A
// handler that does not call e.Next(), and returns no error, drops it for this device.
func (s *Social) OnPush(types ...string) *hook.TaggedHook[*PushEvent] {
	return hook.NewTaggedHook(&s.delivery.pushHook, types...)
}

// OnMail runs in a job before a mail of the types, or of any if there are none, is sent. A handler that does not call
// e.Next(), and returns no error, drops it. PocketBase's own mails, such as the one to confirm an address, have
// PocketBase's own hooks.
func (s *Social) OnMail(types ...string) *hook.TaggedHook[*MailEvent] {
	return hook.NewTaggedHook(&s.delivery.mailHook, types...)
}

// runPushHook runs the owner's hooks, which may alter the message, and reports whether it shall be sent. A recipient,
// a notification or a device that is gone drops it.
func (s *Social) runPushHook(app core.App, d *push.Device, n *deliver.Notification, m *push.Message) (bool, error) {
	hooks := &s.delivery.pushHook
	if hooks.Length() == 0 {
		return true, nil
	}
	e := &PushEvent{App: app, Type: n.Type, Title: m.Title, Body: m.Body, URL: m.URL, Badge: m.Badge, Urgent: m.Urgent}
	err := errors.Join(loadRecord(app, &e.Recipient, "users", d.User), loadRecord(app, &e.Notification, "notifications", n.ID), loadRecord(app, &e.Device, "devices", d.ID))
	if errors.Is(err, fault.ErrGone) {
		return false, nil
	}
	came, err := passesHook(hooks, e, err)
	m.Title, m.Body, m.URL, m.Badge, m.Urgent = e.Title, e.Body, e.URL, e.Badge, e.Urgent
	return came, err
}

// runMailHook runs the owner's hooks, which may alter the mail, and reports whether it shall be sent. A recipient who
// is gone drops it.
func (s *Social) runMailHook(app core.App, kind, recipient string, m *mailer.Message) (bool, error) {
	hooks := &s.delivery.mailHook
	if hooks.Length() == 0 {
		return true, nil
	}
	e := &MailEvent{App: app, Type: kind, Message: m}
	err := loadRecord(app, &e.Recipient, "users", recipient)
	if errors.Is(err, fault.ErrGone) {
		return false, nil
	}
	return passesHook(hooks, e, err)
}

// passesHook triggers an owner's hook, unless there is an err already, and reports whether the handlers let the event
// pass.
func passesHook[E hook.Resolver](h *hook.Hook[E], e E, err error) (came bool, _ error) {
	if err != nil {
		return false, err
	}
	err = h.Trigger(e, func(E) error {
		came = true
		return nil
	})
	return came, err
}
