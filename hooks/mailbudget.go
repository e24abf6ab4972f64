package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/deliver/mail"
	"doubletap/internal/guard"
)

// bindMailBudgets keeps requests from filling a mailbox: what is over a budget is not mailed, and answered as ever, so that
// nobody is told whether there is an account. Mails that leave by jobs are counted where they are queued.
func (s *Social) bindMailBudgets() {
	s.app.OnRecordRequestOTPRequest(guard.Guarded...).Bind(&hook.Handler[*core.RecordCreateOTPRequestEvent]{Func: answer(codeAsked), Priority: last})
	s.app.OnMailerRecordAuthAlertSend(guard.Guarded...).Bind(&hook.Handler[*core.MailerRecordEvent]{Func: alertMailed, Priority: first})
}

// codeAsked answers with the code that was mailed last, where it is too early for another.
func codeAsked(e *core.RecordCreateOTPRequestEvent) error {
	if e.Record == nil {
		return e.Next()
	}
	allowed, err := mail.Spend(e.App, mail.OneTimeCode, e.Record.Email(), "")
	if err != nil {
		return err
	}
	if allowed {
		return e.Next()
	}
	mailHeldBack(e.App, mail.OneTimeCode)
	sent, err := e.App.FindAllOTPsByRecord(e.Record)
	if err != nil {
		return err
	}
	id := core.GenerateDefaultRandomId()
	if len(sent) > 0 {
		id = sent[0].Id // the newest
	}
	return e.JSON(http.StatusOK, map[string]string{"otpId": id})
}

func alertMailed(e *core.MailerRecordEvent) error {
	if e.Record.IsNew() { // the dashboard tests mail
		return e.Next()
	}
	allowed, err := mail.Spend(e.App, mail.LoginAlert, e.Record.Email(), "")
	if err != nil {
		return err
	}
	if !allowed {
		mailHeldBack(e.App, mail.LoginAlert)
		return nil
	}
	return e.Next()
}

func mailHeldBack(app core.App, kind string) {
	app.Logger().Warn("mail to an account held back: too many to one mailbox", "kind", kind)
}
