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

	"doubletap/internal/db"
	"doubletap/internal/deliver"
	"doubletap/internal/deliver/apns"
	"doubletap/internal/deliver/fcm"
	"doubletap/internal/deliver/mail"
	"doubletap/internal/deliver/push"
	"doubletap/internal/deliver/webhook"
	"doubletap/internal/deliver/webpush"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
	"doubletap/internal/job"
	"doubletap/internal/notification"
)

// PushEvent is a notification about to leave for one device, after the commit. Its texts may be altered; not calling
// Next drops it. It comes from a job: an error is tried again, and after a crash it may come twice.
type PushEvent struct {
	hook.Event
	App          core.App
	Type         string
	Recipient    *core.Record
	Notification *core.Record
	Device       *core.Record
	Title, Body  string
	URL          string // where a tap leads
	Badge        int
	Urgent       bool
}

// Tags makes a handler bound for a type run for it alone.
func (e *PushEvent) Tags() []string { return []string{e.Type} }

// MailEvent is a mail about to leave, after the commit. Its message may be altered; not calling Next drops it. Its type
// is that of a notification, "digest", or "letter" for what is for nobody's tray. PocketBase's own mails have their own
// hooks. It comes from a job: an error is tried again, and after a crash it may come twice.
type MailEvent struct {
	hook.Event
	App       core.App
	Type      string
	Recipient *core.Record // nil for a letter
	Message   *mailer.Message
}

// Tags makes a handler bound for a type run for it alone.
func (e *MailEvent) Tags() []string { return []string{e.Type} }

// OnPush runs before a notification of the types, or any, leaves for a device. It may be slow.
func (s *Social) OnPush(types ...string) *hook.TaggedHook[*PushEvent] {
	return hook.NewTaggedHook(&s.delivery().push, types...)
}

// OnMail runs before a mail of the types, or any, leaves. It may be slow.
func (s *Social) OnMail(types ...string) *hook.TaggedHook[*MailEvent] {
	return hook.NewTaggedHook(&s.delivery().mail, types...)
}

// PushKey is the public key that a browser needs to subscribe to web push, empty before the service serves.
func (s *Social) PushKey() string {
	if browsers, ok := s.delivery().service.Channels["webpush"].(*webpush.Channel); ok {
		return browsers.PublicKey()
	}
	return ""
}

// delivery is what brings things to people who are away.
type delivery struct {
	service  *deliver.Service
	webhooks *webhook.Webhooks
	push     hook.Hook[*PushEvent]
	mail     hook.Hook[*MailEvent]
	webhook  hook.Hook[*WebhookEvent]
	leaving  sync.Map // records whose account mail leaves now, from its job
	serving  atomic.Bool
}

func (s *Social) delivery() *delivery {
	return s.app.Store().GetOrSet("doubletap.delivery", func() any { return &delivery{service: deliver.New(s.app)} }).(*delivery)
}

func (s *Social) bindDelivery() {
	service := s.delivery().service
	service.Online, service.Pushing, service.Mailing = s.inbox.Online, s.pushing, s.mailing
	service.Handle(s.jobs)
	s.jobs.Handle(deliver.AccountJob, s.accountMailed, job.Concurrency(2), job.Within(job.Waiting, job.MostWaiting), job.MaxAttempts(40))
	s.app.OnMailerRecordVerificationSend(guard.Guarded...).Bind(s.queued(mail.Verification))
	s.app.OnMailerRecordPasswordResetSend(guard.Guarded...).Bind(s.queued(mail.PasswordReset))
	s.app.OnMailerRecordEmailChangeSend(guard.Guarded...).Bind(s.queued(mail.EmailChange))
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		s.delivery().serving.Store(true)
		if err := s.openChannels(); err != nil {
			return err
		}
		return e.Next()
	})
	token := []parameter{{"t", "the token from the mail"}}
	s.routes = append(s.routes, route{
		method: "GET", path: "/unsubscribe", do: unsubscribeAsked, query: token, content: "text/html", refuses: []int{400},
		summary: "A page that asks whether to end mails of one kind; it changes nothing.",
	}, route{
		method: "POST", path: "/unsubscribe", do: unsubscribed, query: token, refuses: []int{400},
		summary: "Ends mails of one kind, as mail programs ask for it (RFC 8058).",
	})
}

// openChannels makes the keys that are made once, and connects what is configured.
func (s *Social) openChannels() error {
	channels := s.delivery().service.Channels
	if err := mail.Prepare(s.app); err != nil {
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

// deliverTold stores what is to be sent because of a notice, in its transaction.
func (s *Social) deliverTold(tx core.App, n *notification.Notice, id string) error {
	return s.delivery().service.Told(tx, deliver.Told{
		Notification: id, Recipient: n.Recipient, Plan: n.Plan, Push: n.Push, Mail: n.Mail,
	})
}

// pushing lets the owner alter or drop a message to a device.
func (s *Social) pushing(app core.App, d *push.Device, n *deliver.Note, m *push.Message) (bool, error) {
	hooks := &s.delivery().push
	if hooks.Length() == 0 {
		return true, nil
	}
	e := &PushEvent{App: app, Type: n.Type, Title: m.Title, Body: m.Body, URL: m.URL, Badge: m.Badge, Urgent: m.Urgent}
	err := errors.Join(load(app, &e.Recipient, "users", d.User), load(app, &e.Notification, "notifications", n.ID), load(app, &e.Device, "devices", d.ID))
	if errors.Is(err, fault.ErrGone) {
		return false, nil
	}
	came, err := passed(hooks, e, err)
	m.Title, m.Body, m.URL, m.Badge, m.Urgent = e.Title, e.Body, e.URL, e.Badge, e.Urgent
	return came, err
}

// mailing lets the owner alter or drop a mail.
func (s *Social) mailing(app core.App, kind, recipient string, m *mailer.Message) (bool, error) {
	hooks := &s.delivery().mail
	if hooks.Length() == 0 {
		return true, nil
	}
	e := &MailEvent{App: app, Type: kind, Message: m}
	err := load(app, &e.Recipient, "users", recipient)
	if errors.Is(err, fault.ErrGone) {
		return false, nil
	}
	return passed(hooks, e, err)
}

// passed triggers an owner's hook and reports whether the event came through.
func passed[E hook.Resolver](h *hook.Hook[E], e E, err error) (came bool, _ error) {
	if err != nil {
		return false, err
	}
	err = h.Trigger(e, func(E) error {
		came = true
		return nil
	})
	return came, err
}

// accountMail is one of PocketBase's mails to an account. It has no token: the mail gets a fresh one when it leaves.
type accountMail struct{ Kind, Collection, Record, Email string }

// queued puts a mail to one of our accounts into a job, so that no request waits for a mail server and none is lost with the
// process. It comes before an owner's hooks, which run when the job sends the mail, and only then. At once leave the mails of an
// owner's own collections, and those of a command, whose job nobody might run. Codes to sign in with are not
// queued: they last for minutes, and PocketBase sends them beside the request.
func (s *Social) queued(kind string) *hook.Handler[*core.MailerRecordEvent] {
	return &hook.Handler[*core.MailerRecordEvent]{Priority: first, Func: func(e *core.MailerRecordEvent) error {
		if _, now := s.delivery().leaving.Load(e.Record); now || !s.delivery().serving.Load() || e.Record.IsNew() { // the dashboard tests mail with an account that is none
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

// queueAccountMail leaves a mail to a job if the budgets of the mailbox and of by, the account that causes it or empty, allow it.
func queueAccountMail(app core.App, m accountMail, to, by string) error {
	allowed, err := mail.Spend(app, m.Kind, to, by)
	if err != nil {
		return err
	}
	if !allowed {
		mailHeldBack(app, m.Kind)
		return nil
	}
	return job.Add(app, deliver.AccountJob, m, job.Dedupe(m.Kind+" "+mail.Target(to)))
}

func (s *Social) accountMailed(ctx context.Context, app core.App, j *job.Job) error {
	var p accountMail
	if err := j.Payload(&p); err != nil {
		return err
	}
	record, err := find(app, p.Collection, p.Record)
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
	err = mail.Wait(ctx, func() error {
		s.delivery().leaving.Store(record, true)
		defer s.delivery().leaving.Delete(record)
		return send()
	})
	if errors.Is(err, mail.ErrBounced) {
		return deliver.Bounced(app, p.Record, address, err)
	}
	if err != nil {
		return fmt.Errorf("mail %s to %s: %w", p.Kind, p.Record, err)
	}
	return nil
}

// unsubscribeAsked answers GET /unsubscribe?t= with a page that asks; it changes nothing.
func unsubscribeAsked(e *core.RequestEvent) error {
	token := e.Request.URL.Query().Get("t")
	user, _, err := readToken(e.App, token)
	if err != nil {
		return err
	}
	return unsubscribePage(e, user, token)
}

// unsubscribed answers POST /unsubscribe?t=, which mail programs send by themselves (RFC 8058), and the page's button.
func unsubscribed(e *core.RequestEvent) error {
	user, scope, err := readToken(e.App, e.Request.URL.Query().Get("t"))
	if err != nil {
		return err
	}
	if err := unsubscribe(e.App, user, scope); err != nil {
		return err
	}
	if e.Request.PostFormValue("page") == "" {
		return e.NoContent(http.StatusNoContent)
	}
	return unsubscribePage(e, user, "")
}

func unsubscribePage(e *core.RequestEvent, user, token string) error {
	locale, err := localeOf(e.App, user)
	if err != nil {
		return err
	}
	page, err := mail.Page(e.App, locale, token)
	if err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // the address has the token
	header.Set("Cache-Control", "no-store")
	return e.HTML(http.StatusOK, page)
}

func readToken(app core.App, token string) (user, scope string, err error) {
	user, scope, err = mail.Read(app, token)
	if errors.Is(err, mail.ErrToken) {
		return "", "", fault.Invalid("t", "validation_invalid_token", "This link is not one of ours, or not all of it.")
	}
	return user, scope, err
}

// unsubscribe ends a user's mails of one type, or the digests. Somebody who is gone gets none anyway.
func unsubscribe(app core.App, user, scope string) error {
	return app.RunInTransaction(func(tx core.App) error {
		settings, found, err := db.Optional(tx.FindFirstRecordByData("settings", "user", user))
		if err != nil {
			return fmt.Errorf("find the settings of %s: %w", user, err)
		}
		if !found {
			return nil
		}
		if scope == mail.Digest {
			settings.Set("digest", "off")
			return tx.Save(settings)
		}
		var wishes map[string]any
		_ = json.Unmarshal([]byte(settings.GetString("notify")), &wishes) // whatever else is there is no wish
		if wishes == nil {
			wishes = map[string]any{}
		}
		wish, _ := wishes[scope].(map[string]any)
		if wish == nil {
			wish = map[string]any{}
		}
		wish["mail"] = "off"
		wishes[scope] = wish
		settings.Set("notify", wishes)
		return tx.Save(settings)
	})
}
