package hooks

import (
	"context"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/job"
)

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
		if _, now := s.delivery.sendingMails.Load(e.Record); now || !s.delivery.isServing.Load() || e.Record.IsNew() {
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
	err = s.delivery.service.Mails.SendWithTimeout(ctx, func() error {
		s.delivery.sendingMails.Store(record, true)
		defer s.delivery.sendingMails.Delete(record)
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
