package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/apns"
	"github.com/doubletap/doubletap/internal/deliver/fcm"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/deliver/webpush"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
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
	return hook.NewTaggedHook(&s.deliveryState().pushHook, types...)
}

// OnMail runs in a job before a mail of the types, or of any if there are none, is sent. A handler that does not call
// e.Next(), and returns no error, drops it. PocketBase's own mails, such as the one to confirm an address, have
// PocketBase's own hooks.
func (s *Social) OnMail(types ...string) *hook.TaggedHook[*MailEvent] {
	return hook.NewTaggedHook(&s.deliveryState().mailHook, types...)
}

// PushKey returns the public key that a browser needs to subscribe to web push. It is empty until the app serves.
func (s *Social) PushKey() string {
	if browsers, ok := s.deliveryState().service.Channels["webpush"].(*webpush.Channel); ok {
		return browsers.PublicKey()
	}
	return ""
}

// deliveryState holds what sends notifications, mails and webhooks to people who are away.
type deliveryState struct {
	service      *deliver.Service
	webhooks     *webhook.Webhooks
	pushHook     hook.Hook[*PushEvent]
	mailHook     hook.Hook[*MailEvent]
	webhookHook  hook.Hook[*WebhookEvent]
	sendingMails sync.Map // records whose account mail is being sent by its job
	isServing    atomic.Bool
}

func (s *Social) deliveryState() *deliveryState {
	return s.app.Store().GetOrSet("doubletap.delivery", func() any { return &deliveryState{service: deliver.New(s.app)} }).(*deliveryState)
}

func (s *Social) bindDelivery() {
	service := s.deliveryState().service
	service.IsOnline, service.BeforePush, service.BeforeMail = s.inbox.IsOnline, s.runPushHook, s.runMailHook
	service.RegisterJobs(s.jobs)
	s.jobs.Handle(deliver.AccountEmailJob, s.sendAccountMail, job.Concurrency(2), job.WithinGroup(job.ExternalGroup, job.MaxExternal), job.MaxAttempts(40))
	s.app.OnMailerRecordVerificationSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.Verification))
	s.app.OnMailerRecordPasswordResetSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.PasswordReset))
	s.app.OnMailerRecordEmailChangeSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.EmailChange))
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		s.deliveryState().isServing.Store(true)
		if err := s.openChannels(); err != nil {
			return err
		}
		return e.Next()
	})
	token := []queryParameter{{"t", "the token from the mail"}}
	s.routes = append(s.routes, route{
		method: "GET", path: "/unsubscribe", handle: serveUnsubscribe, query: token, contentType: "text/html", errorStatuses: []int{400},
		summary: "A page that asks whether to end mails of one kind; it changes nothing.",
	}, route{
		method: "POST", path: "/unsubscribe", handle: applyUnsubscribe, query: token, contentType: "text/html", errorStatuses: []int{400},
		summary: "Ends mails of one kind, as mail programs ask for it (RFC 8058).",
	})
}

// openChannels creates the keys that are created once, and opens the channels that are configured.
func (s *Social) openChannels() error {
	channels := s.deliveryState().service.Channels
	if err := mail.UnsubscribeLinks.PrepareKey(s.app); err != nil {
		return err
	}
	browsers, err := webpush.New(s.app)
	if err != nil {
		return err
	}
	channels["webpush"] = browsers
	apple, err := apns.New(s.app, apns.FromEnvironment())
	if err != nil {
		return err
	}
	if apple != nil {
		channels["apns"] = apple
	}
	firebase, err := fcm.New(s.app, fcm.FromEnvironment())
	if err != nil {
		return err
	}
	if firebase != nil {
		channels["fcm"] = firebase
	}
	return nil
}

// queueDelivery stores what is to be sent because of a notification event, in its transaction.
func (s *Social) queueDelivery(tx core.App, n *notification.Event, id string) error {
	return s.deliveryState().service.Schedule(tx, deliver.Delivery{
		Notification: id, Recipient: n.Recipient, Plan: n.Plan, Push: n.Push, Mail: n.Mail,
	})
}

// runPushHook runs the owner's hooks, which may alter the message, and reports whether it shall be sent. A recipient,
// a notification or a device that is gone drops it.
func (s *Social) runPushHook(app core.App, d *push.Device, n *deliver.Notification, m *push.Message) (bool, error) {
	hooks := &s.deliveryState().pushHook
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
	hooks := &s.deliveryState().mailHook
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

// accountMail is one of PocketBase's mails to an account, as a job stores it. It has no token: the mail gets a fresh
// one when it is sent.
type accountMail struct{ Kind, Collection, Record, Email string }

// queueMailHandler returns a handler that leaves a mail to one of our accounts to a job, so that no request waits for
// a mail server and no mail is lost with the process. It comes before an owner's hooks, which run when the job sends
// the mail, and only then. Two kinds of mails are sent at once: those of an owner's own collections, and those of a
// command, whose job nobody might run. One-time codes are not queued: they last for minutes, and PocketBase sends
// them beside the request.
func (s *Social) queueMailHandler(kind string) *hook.Handler[*core.MailerRecordEvent] {
	return &hook.Handler[*core.MailerRecordEvent]{Priority: firstPriority, Func: func(e *core.MailerRecordEvent) error {
		// a new record is the account that is not stored with which the dashboard tests mail
		if _, now := s.deliveryState().sendingMails.Load(e.Record); now || !s.deliveryState().isServing.Load() || e.Record.IsNew() {
			return e.Next()
		}
		address, _ := e.Meta["newEmail"].(string)
		to, by := e.Record.Email(), ""
		if address != "" {
			to, by = address, e.Record.Id
		}
		return queueAccountMail(e.App, accountMail{kind, e.Record.Collection().Name, e.Record.Id, address}, to, by)
	}}
}

// queueAccountMail leaves a mail to a job if the budgets allow it: that of the mailbox to, and that of by, the
// account that causes the mail, or empty.
func queueAccountMail(app core.App, m accountMail, to, by string) error {
	allowed, err := mail.SpendBudget(app, m.Kind, to, by)
	if err != nil {
		return err
	}
	if !allowed {
		logMailHeldBack(app, m.Kind)
		return nil
	}
	return job.Enqueue(app, deliver.AccountEmailJob, m, job.Dedupe(m.Kind+" "+mail.MailboxKey(to)))
}

func (s *Social) sendAccountMail(ctx context.Context, app core.App, j *job.Job) error {
	var p accountMail
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	record, err := db.RequireRecord(app, p.Collection, p.Record)
	if errors.Is(err, fault.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	address := record.Email()
	send := func() error { return mails.SendRecordPasswordReset(app, record) }
	switch p.Kind {
	case mail.Verification:
		if record.Verified() {
			return nil
		}
		send = func() error { return mails.SendRecordVerification(app, record) }
	case mail.EmailChange:
		address = p.Email
		send = func() error { return mails.SendRecordChangeEmail(app, record, p.Email) }
	}
	err = mail.SendWithTimeout(ctx, func() error {
		s.deliveryState().sendingMails.Store(record, true)
		defer s.deliveryState().sendingMails.Delete(record)
		return send()
	})
	if errors.Is(err, mail.ErrBounced) {
		return deliver.RecordBounce(app, p.Record, address, err)
	}
	if err != nil {
		return fmt.Errorf("mail %s to %s: %w", p.Kind, p.Record, err)
	}
	return nil
}

// serveUnsubscribe answers GET /unsubscribe?t= with a page that asks; it changes nothing.
func serveUnsubscribe(e *core.RequestEvent) error {
	token := e.Request.URL.Query().Get("t")
	user, _, err := readUnsubscribeToken(e.App, token)
	if err != nil {
		return err
	}
	return respondUnsubscribe(e, user, token)
}

// applyUnsubscribe answers POST /unsubscribe?t=, which mail programs send by themselves (RFC 8058) and so does the
// page's button.
func applyUnsubscribe(e *core.RequestEvent) error {
	user, scope, err := readUnsubscribeToken(e.App, e.Request.URL.Query().Get("t"))
	if err != nil {
		return err
	}
	if err := unsubscribeFromMail(e.App, user, scope); err != nil {
		return err
	}
	if e.Request.PostFormValue("page") == "" {
		return e.NoContent(http.StatusNoContent)
	}
	return respondUnsubscribe(e, user, "")
}

func respondUnsubscribe(e *core.RequestEvent, user, token string) error {
	locale, err := localeOf(e.App, user)
	if err != nil {
		return err
	}
	page, err := mail.UnsubscribePage(e.App, locale, token)
	if err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // the address has the token
	header.Set("Cache-Control", "no-store")
	return e.HTML(http.StatusOK, page)
}

func readUnsubscribeToken(app core.App, token string) (user, scope string, err error) {
	user, scope, err = mail.ParseToken(app, token)
	if errors.Is(err, mail.ErrInvalidToken) {
		return "", "", fault.InvalidField("t", "validation_invalid_token", "This link is not one of ours, or not all of it.")
	}
	return user, scope, err
}

// unsubscribeFromMail ends a user's mails of one type, or the digests. A user without settings is gone and gets no
// mail anyway.
func unsubscribeFromMail(app core.App, user, scope string) error {
	return app.RunInTransaction(func(tx core.App) error {
		settings, found, err := db.Optional(tx.FindFirstRecordByData("settings", "user", user))
		if err != nil {
			return fmt.Errorf("find the settings of %s: %w", user, err)
		}
		if !found {
			return nil
		}
		if scope == mail.DigestScope {
			settings.Set("digest", "off")
			return tx.Save(settings)
		}
		var preferences map[string]any
		_ = json.Unmarshal([]byte(settings.GetString("notify")), &preferences) // anything else there is no preference
		if preferences == nil {
			preferences = map[string]any{}
		}
		ofType, _ := preferences[scope].(map[string]any)
		if ofType == nil {
			ofType = map[string]any{}
		}
		ofType["mail"] = "off"
		preferences[scope] = ofType
		settings.Set("notify", preferences)
		return tx.Save(settings)
	})
}
