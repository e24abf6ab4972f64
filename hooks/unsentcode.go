package hooks

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
)

// isMailedAgain reports whether a request in the pause after another one is for an account that got no mail: it is answered with the same
// id, as for every address, but makes and mails a code.
func isMailedAgain(e *core.RecordCreateOTPRequestEvent) (bool, error) {
	if e.Record == nil {
		return false, nil
	}
	return mail.HasRoom(e.App, mail.OneTimeCode, e.Record.Email())
}

// takeBackUnsentCode deletes a code whose mail did not leave, together with what it took from the budget of its mailbox: whoever asks
// again is mailed another at once. It returns no error, on which PocketBase would delete by the code's id, which the next one has too.
func takeBackUnsentCode(e *core.MailerRecordEvent) error {
	failure := e.Next()
	if failure == nil || e.Record.IsNew() {
		return failure
	}
	key, err := otpKey(e.App)
	if err != nil {
		return err
	}
	id, _ := e.Meta["otpId"].(string)
	if !strings.HasPrefix(id, otpTag(key, e.Record.Collection(), e.Record.Email())) { // of an owner's making
		return failure
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		code, found, err := db.Optional(tx.FindOTPById(id))
		if err != nil {
			return err
		}
		if found {
			if err := tx.Delete(code); err != nil {
				return err
			}
		}
		return mail.RefundBudget(tx, mail.OneTimeCode, e.Record.Email())
	})
	if err != nil {
		return fmt.Errorf("take back a code that was not mailed (%w): %w", failure, err)
	}
	e.App.Logger().Error("one-time code not mailed, and taken back", "account", e.Record.Id, "err", failure)
	return nil
}
