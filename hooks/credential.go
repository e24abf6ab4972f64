package hooks

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/web"
)

// bindCredentials ends whatever was given to the holder of a credential when the credential ends. The sign of that is
// a new token key of the account: PocketBase changes the key with the password and the address, signs tokens and file
// tokens with it, and deletes one-time codes. Triggers of users delete the push devices and the sessions; the streams are closed
// and the first proofs of a sign-in with two are deleted here.
func (s *Social) bindCredentials() {
	s.app.OnRecordUpdateExecute("users").Bind(afterFiles(answerErrors(inRawTx(s.credentialChanged))))
	s.app.OnCollectionUpdateExecute("users").BindFunc(answerErrors(endAllSessions))
	s.app.OnRealtimeSubscribeRequest().Bind(&hook.Handler[*core.RealtimeSubscribeRequestEvent]{Func: closeOutdatedStream, Priority: firstPriority})
	s.routes = append(s.routes, web.Route{
		Method: "POST", Path: "/api/v1/logout-everywhere", Access: web.UsersOnly, Handle: logoutEverywhere,
		Summary: "Ends every session, stream, file token and push device of the caller, this one's too.",
	})
}

// sessionWork removes the sessions, and their push devices, that an operator has ended all at once.
var sessionWork = sweep.Work{Kind: "session.end", Parts: []sweep.Part{
	whereThere("devices", `max(lastSeen, created) < {:before}`), whereThere("account_sessions", `created < {:before}`),
}}

// whereThere deletes rows of a table that may not be there yet: the first start of a new folder changes the secret.
func whereThere(table, condition string) sweep.Part {
	part := sweep.DeletePart(table, condition)
	part.Optional = true
	return part
}

// endAllSessions ends the sessions and push devices of everybody when the secret is changed that signs all tokens: an operator does
// that to end every session, and no account's token key changes by it.
func endAllSessions(e *core.CollectionEvent) error {
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		before, err := tx.FindCollectionByNameOrId(e.Collection.Id)
		if err != nil {
			return fmt.Errorf("find the secret of before: %w", err)
		}
		if err := e.Next(); err != nil || before.AuthToken.Secret == e.Collection.AuthToken.Secret {
			return err
		}
		return sessionWork.Begin(tx, sweep.Subject{"before": clock.Timestamp(tx)})
	})
}

// credential is what an account signs in with, as it is stored.
type credential struct {
	Key      string `db:"tokenKey"`
	Password string `db:"password"` // its hash
	Email    string `db:"email"`
	Verified bool   `db:"verified"`
}

// findCredential reads the stored credential, as a record in memory may be older, or saved before. If the account is
// gone the error is fault.ErrGone.
func findCredential(tx core.App, user string) (c credential, err error) {
	found, err := db.QueryOne(tx, &c, `SELECT tokenKey, password, email, verified FROM users WHERE id = {:u}`, db.Params{"u": user})
	if err == nil && !found {
		err = fault.ErrGone
	}
	return c, err
}

// credentialChanged queues, in the transaction, the mails that tell the person of a changed credential, and closes
// the streams once it is committed.
func (s *Social) credentialChanged(tx core.App, e *core.RecordEvent) error {
	user := e.Record
	before, err := findCredential(tx, user.Id)
	if errors.Is(err, fault.ErrGone) {
		return e.Next() // and refused there
	}
	if err != nil {
		return err
	}
	var devices []string
	if err := db.QueryColumn(tx, &devices, `SELECT id FROM devices WHERE user = {:u}`, db.Params{"u": user.Id}); err != nil {
		return fmt.Errorf("find the devices of %s: %w", user.Id, err)
	}
	if err := e.Next(); err != nil {
		return err
	}
	after, err := findCredential(tx, user.Id)
	if err != nil || after.Key == before.Key {
		return err
	}
	if err := sweep.CascadeFromRows(tx, "devices", devices); err != nil { // which the trigger has deleted
		return err
	}
	if err := tx.DeleteAllMFAsByRecord(user); err != nil { // PocketBase keeps what the former password has proved
		return fmt.Errorf("end the first proofs of %s: %w", user.Id, err)
	}
	db.AfterCommit(tx, func() { s.inbox.DisconnectPerson(user.Id) })
	if user.GetString("state") == account.Deleting {
		return nil
	}
	switch {
	case after.Email != before.Email:
		return mailAddressChange(tx, user, before, after)
	case after.Password != before.Password && after.Verified:
		return queueCredentialMail(tx, user, after.Email, "password")
	}
	return nil
}

// mailAddressChange writes to both the old and the new address. It writes only to verified addresses: an unverified
// one, typed in at sign-up, may be a stranger's.
func mailAddressChange(tx core.App, user *core.Record, before, after credential) error {
	if before.Verified && before.Email != "" {
		if err := queueCredentialMail(tx, user, before.Email, "address.old"); err != nil {
			return err
		}
	}
	if after.Verified && after.Email != "" {
		return queueCredentialMail(tx, user, after.Email, "address.new")
	}
	return nil
}

// queueCredentialMail queues a mail to an address, in its person's language, if the budget allows it.
func queueCredentialMail(tx core.App, user *core.Record, address, what string) error {
	if allowed, err := mail.SpendBudget(tx, mail.Credential, address, ""); err != nil || !allowed {
		return err
	}
	locale, err := localeOf(tx, user.Id)
	if err != nil {
		return err
	}
	meta, words := tx.Settings().Meta, phrases.WordsFor(locale)
	values := []string{"app", meta.AppName, "handle", phrases.WithoutLinks(user.GetString("handle")), "url", strings.TrimRight(meta.AppURL, "/") + "/"}
	section := mail.Section{Items: []mail.Item{
		{Text: words.Translate("credential."+what, values...)}, {Text: words.Translate("credential.ended", values...)}, {Text: words.Translate("credential.not_you", values...)},
	}}
	if what == "deleted" {
		section.Items = []mail.Item{section.Items[0], {Text: words.Translate("credential.deleted.not_you", values...)}}
	} else if what != "address.old" { // which no link for a new password reaches any more
		section.URL, section.Label = mail.ForgotPasswordLink(tx), words.Translate("credential.reset")
	}
	return job.Enqueue(tx, deliver.EmailJob, mail.Email{
		To: address, Locale: locale, Subject: words.Translate("credential."+what+".subject", values...), Sections: []mail.Section{section},
	})
}

// isCredentialCurrent reports whether the credential that the caller came with is still valid. It is true for guests
// and for those who are not users.
func isCredentialCurrent(tx core.App, caller *core.Record) (bool, error) {
	if caller == nil || caller.Collection().Name != "users" {
		return true, nil
	}
	now, err := findCredential(tx, caller.Id)
	if errors.Is(err, fault.ErrGone) {
		return false, nil
	}
	if err != nil || now.Key != caller.TokenKey() {
		return false, err
	}
	over, err := session.IsOver(tx, caller)
	return !over, err
}

// closeOutdatedStream closes a stream whose subscriber's credential ended while it subscribed: the token was checked
// before the change, and the stream was there only after all others had been closed.
func closeOutdatedStream(e *core.RealtimeSubscribeRequestEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	if current, err := isCredentialCurrent(e.App, e.Auth); err != nil || !current {
		e.Client.Discard()
	}
	return nil
}

// logoutEverywhere answers POST /api/v1/logout-everywhere.
func logoutEverywhere(e *core.RequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		if current, err := isCredentialCurrent(tx, e.Auth); err != nil || !current {
			return cmp.Or(err, fault.Unauthorized())
		}
		user, err := db.RequireRecord(tx, "users", e.Auth.Id)
		if err != nil {
			return err
		}
		user.RefreshTokenKey()
		return tx.Save(user)
	})
	if err != nil {
		return err
	}
	clearBrowserCache(e)
	return e.NoContent(http.StatusNoContent)
}

// clearBrowserCache has the browser forget the answers and photos that it keeps for whoever leaves it for good. Its storage
// stays: other people's drafts and what waits to be sent may lie there, and the web app clears what is the leaver's.
func clearBrowserCache(e *core.RequestEvent) {
	e.Response.Header().Set("Clear-Site-Data", `"cache"`)
}
