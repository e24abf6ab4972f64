package hooks

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"

	"fmt"
)

// bindAccountMails writes PocketBase's mails to users in the product's own words, with links into the web app. A mail
// is written when it is sent, before an owner's hooks run. Templates that an owner has changed are used as they are,
// and so are those of all mails to superusers.
func (s *Social) bindAccountMails() {
	for kind, sent := range map[string]*hook.TaggedHook[*core.MailerRecordEvent]{
		mail.Verification:  s.app.OnMailerRecordVerificationSend("users"),
		mail.PasswordReset: s.app.OnMailerRecordPasswordResetSend("users"),
		mail.EmailChange:   s.app.OnMailerRecordEmailChangeSend("users"),
		mail.OneTimeCode:   s.app.OnMailerRecordOTPSend("users"),
		mail.LoginAlert:    s.app.OnMailerRecordAuthAlertSend("users"),
	} {
		sent.Bind(&hook.Handler[*core.MailerRecordEvent]{Priority: firstPriority + 1, Func: func(e *core.MailerRecordEvent) error {
			if !mail.IsShippedTemplate(e.Record.Collection(), kind) {
				return e.Next()
			}
			locale, err := localeOf(e.App, e.Record.Id)
			if err != nil {
				return err
			}
			message, err := mail.NewAccountEmail(e.App, kind, e.Record, locale, e.Meta).MailerMessage(e.App)
			if err != nil {
				return err
			}
			e.Message.Subject, e.Message.HTML, e.Message.Text, e.Message.Headers = message.Subject, message.HTML, message.Text, message.Headers
			return e.Next()
		}})
	}
}

// localeOf returns the language that a user has chosen, or empty.
func localeOf(app core.App, user string) (locale string, err error) {
	if _, err = db.QueryValue(app, &locale, `SELECT coalesce(locale, '') FROM settings WHERE user = {:u}`, db.Params{"u": user}); err != nil {
		return "", fmt.Errorf("read the language of %s: %w", user, err)
	}
	return locale, nil
}
