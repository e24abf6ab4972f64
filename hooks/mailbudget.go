package hooks

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/guard"
)

// bindMailBudgets keeps requests from filling a mailbox: what is over a budget is not mailed, and answered as ever, so that
// nobody is told whether there is an account. Mails that leave by jobs are counted where they are queued, one-time codes in
// oneTimeCodes.
func (s *Social) bindMailBudgets() {
	s.app.OnMailerRecordAuthAlertSend(guard.GuardedCollections...).Bind(&hook.Handler[*core.MailerRecordEvent]{Func: limitAlertMail, Priority: firstPriority})
}

func limitAlertMail(e *core.MailerRecordEvent) error {
	if e.Record.IsNew() { // the dashboard tests mail
		return e.Next()
	}
	allowed, err := mail.SpendBudget(e.App, mail.LoginAlert, e.Record.Email(), "")
	if err != nil {
		return err
	}
	if !allowed {
		logMailHeldBack(e.App, mail.LoginAlert)
		return nil
	}
	if err := e.Next(); err != nil {
		return errors.Join(err, e.App.RunInTransaction(func(tx core.App) error { return mail.RefundBudget(tx, mail.LoginAlert, e.Record.Email()) }))
	}
	return nil
}

func logMailHeldBack(app core.App, kind string) {
	app.Logger().Warn("mail to an account held back: too many to one mailbox", "kind", kind)
}
