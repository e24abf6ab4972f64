package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/types"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/erase"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

func (s *Social) bindAccounts() {
	s.app.OnRecordAuthWithOAuth2Request("users").BindFunc(answerErrors(oauthRequested))
	s.app.OnRecordAuthRequest("users").BindFunc(requireActiveAccount)
	s.app.OnRecordAuthWithOAuth2Request().Bind(&hook.Handler[*core.RecordAuthWithOAuth2RequestEvent]{Priority: lastPriority, Func: s.fetchAvatar})
	s.app.OnRecordCreateRequest("users").BindFunc(answerErrors(s.accountRequested))
	s.app.OnRecordCreate("users").BindFunc(answerErrors(setAccountDefaults))
	s.app.OnRecordCreateExecute("users").Bind(afterFiles(inTx(s.accountStored)))
	s.app.OnRecordUpdate("users").BindFunc(answerErrors(prepareAccountChange))
	s.app.OnRecordUpdateExecute("users").Bind(afterFiles(inTx(s.accountChanged)))
	s.app.OnRecordDeleteRequest("users").BindFunc(answerErrors(s.accountDeleteRequested))
	s.app.OnRecordDelete("users").BindFunc(inTx(s.accountDeleted))
	s.app.OnRecordUpdate("settings").BindFunc(answerErrors(boundSeenAt))
	s.jobs.Handle(erase.AccountWork.Kind, s.eraseAccount, job.Concurrency(2), sweepAttempts)
}

// handleHintKey is the key under which a request keeps the name that a new person would like as a handle.
const handleHintKey = "doubletap.wish"

// oauthRequested folds the address that an OAuth2 provider sends, and keeps the name that the person has there as a
// hint for their handle.
func oauthRequested(e *core.RecordAuthWithOAuth2RequestEvent) error {
	e.OAuth2User.Email = account.FoldAddress(e.OAuth2User.Email) // PocketBase compares it with the stored one
	if e.IsNewRecord {
		if err := prepareOAuthSignUp(e); err != nil {
			return err
		}
	}
	e.Set(handleHintKey, cmp.Or(e.OAuth2User.Username, e.OAuth2User.Name))
	return e.Next()
}

// requireActiveAccount refuses every kind of sign-in to an account that is not active, even if the collection's own
// rule was changed, with the answer that this rule would give. A superuser is not refused.
func requireActiveAccount(e *core.RecordAuthRequestEvent) error {
	if e.Record.GetString("state") != account.Active && !e.HasSuperuserAuth() {
		return e.ForbiddenError("The request doesn't satisfy the collection requirements to authenticate.", nil)
	}
	return e.Next()
}

// prepareOAuthSignUp makes sure that what a provider sends refuses no sign-up by itself. A name there is only a hint:
// where it is taken or reserved, a free handle is found, however the owner has mapped the name. A sign-up without an
// address is refused with a text that says what to do.
func prepareOAuthSignUp(e *core.RecordAuthWithOAuth2RequestEvent) error {
	create := maps.Clone(e.CreateData)
	if create == nil {
		create = map[string]any{}
	}
	mapped := e.Collection.OAuth2.MappedFields
	if _, chosen := create["handle"]; !chosen && slices.Contains([]string{mapped.Id, mapped.Name, mapped.Username}, "handle") {
		create["handle"] = "" // otherwise PocketBase takes the provider's name as it is
	}
	e.CreateData = create
	email, _ := e.Collection.Fields.GetByName(core.FieldNameEmail).(*core.EmailField)
	if email != nil && email.Required && e.OAuth2User.Email == "" && cast.ToString(create[core.FieldNameEmail]) == "" {
		return fault.InvalidField(core.FieldNameEmail, "validation_email_missing",
			"The provider tells no verified e-mail address. Ask the person for one and send it as createData.email, or let your app ask the provider for it.")
	}
	return nil
}

// signupHints is what a request says about the account that it creates. It is kept until the account is stored, in
// the transaction.
type signupHints struct {
	handleHint        string // the name that the person would like as a handle
	locale            string // the language of their browser
	sendsConfirmation bool   // whether a link to confirm the address is mailed
}

func (s *Social) accountRequested(e *core.RecordRequestEvent) error {
	signup := !e.HasSuperuserAuth() // a superuser creates an account for somebody else and knows why
	hints := signupHints{handleHint: cmp.Or(cast.ToString(e.Get(handleHintKey)), e.Record.GetString("name")), sendsConfirmation: signup && canMail(e.App)}
	if signup {
		hints.locale = phrases.PreferredLocale(e.Request.Header.Get("Accept-Language"))
	}
	s.signupHints.Store(e.Record, hints)
	defer s.signupHints.Delete(e.Record)
	return e.Next()
}

func setAccountDefaults(e *core.RecordEvent) error {
	e.Record.SetEmail(account.FoldAddress(e.Record.Email()))
	e.Record.Set("handle", strings.ToLower(e.Record.GetString("handle")))
	guard.SetDefault(e.Record, "state", account.Active)
	guard.SetDefault(e.Record, "role", "member")
	return e.Next()
}

func (s *Social) accountStored(tx core.App, e *core.RecordEvent) error {
	user := e.Record
	value, _ := s.signupHints.Load(user)
	hints, _ := value.(signupHints)
	if user.GetString("handle") == "" {
		handle, err := account.FindFreeHandle(tx, cmp.Or(hints.handleHint, user.GetString("name")))
		if err != nil {
			return err
		}
		user.Set("handle", handle)
	}
	if err := account.CheckHandle(tx, user.Id, user.GetString("handle")); err != nil {
		return err
	}
	if err := account.CheckAddress(tx, user); err != nil {
		return err
	}
	return runHook("OnSignup", &s.events.signup, &AccountEvent{App: tx, User: user}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := account.MakeSettings(tx, user.Id, hints.locale); err != nil {
			return err
		}
		if !hints.sendsConfirmation || user.Verified() || user.Email() == "" {
			return nil
		}
		return queueAccountMail(tx, accountMail{mail.Verification, user.Collection().Name, user.Id, ""}, user.Email(), "")
	})
}

// prepareAccountChange normalizes an account that changes, and ends all its sessions when it is no longer active.
func prepareAccountChange(e *core.RecordEvent) error {
	if hasChanged(e.Record, core.FieldNameEmail) {
		e.Record.SetEmail(account.FoldAddress(e.Record.Email()))
	}
	e.Record.Set("handle", strings.ToLower(e.Record.GetString("handle")))
	if e.Record.GetString("handle") == "" && e.Record.Original().GetString("handle") != "" {
		return fault.InvalidField("handle", "validation_required", "Cannot be blank.")
	}
	guard.SetDefault(e.Record, "state", account.Active)
	guard.SetDefault(e.Record, "role", "member")
	if hasChanged(e.Record, "state") && e.Record.GetString("state") != account.Active {
		e.Record.RefreshTokenKey()
	}
	return e.Next()
}

func (s *Social) accountChanged(tx core.App, e *core.RecordEvent) error {
	user, before := e.Record, e.Record.Original()
	if hasChanged(user, "handle") {
		if err := account.ChangeHandle(tx, user.Id, user.GetString("handle")); err != nil {
			return err
		}
	}
	if hasChanged(user, core.FieldNameEmail) {
		if err := account.CheckAddress(tx, user); err != nil {
			return err
		}
	}
	if err := e.Next(); err != nil {
		return err
	}
	if effect.IsAccountNarrowed(before, user) {
		if err := s.queuePurge(tx, purgePayload{Author: user.Id}); err != nil {
			return err
		}
	}
	return effect.AccountChanged(tx, before, user)
}

// accountDeleteRequested closes the account at once and leaves the erasing to a job, so that the request does not
// wait until the posts of many years are deleted.
func (s *Social) accountDeleteRequested(e *core.RecordRequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		user, err := db.RequireRecord(tx, "users", e.Record.Id)
		if err != nil {
			return err
		}
		return s.closeAccount(tx, user)
	})
	if err != nil {
		return err
	}
	if e.Auth != nil && e.Auth.Id == e.Record.Id {
		clearBrowserCache(e.RequestEvent)
	}
	return e.NoContent(http.StatusNoContent)
}

func (s *Social) closeAccount(tx core.App, user *core.Record) error {
	if user.GetString("state") == account.Deleting {
		return nil
	}
	return runHook("OnErase", &s.events.erase, &AccountEvent{App: tx, User: user}, func() error {
		if err := sweep.CheckRequired(tx, user); err != nil {
			return err
		}
		if err := account.ReserveHandle(tx, user.GetString("handle"), "deleted"); err != nil {
			return err
		}
		if err := account.ForgetFormerHandles(tx, user.Id); err != nil {
			return err
		}
		user.Set("state", account.Deleting)
		if err := tx.Save(user); err != nil {
			return fmt.Errorf("close account %s: %w", user.Id, err)
		}
		if user.Verified() && user.Email() != "" {
			if err := queueCredentialMail(tx, user, user.Email(), "deleted"); err != nil {
				return err
			}
		}
		return job.Enqueue(tx, erase.AccountWork.Kind, sweep.Subject{"user": user.Id}, job.Dedupe(user.Id))
	})
}

func (s *Social) eraseAccount(ctx context.Context, app core.App, j *job.Job) error {
	var on sweep.Subject
	if err := j.ReadPayload(&on); err != nil {
		return err
	}
	if err := erase.AccountWork.Finish(ctx, app, on); err != nil {
		return err
	}
	user, err := db.RequireRecord(app, "users", on["user"])
	if errors.Is(err, fault.ErrGone) {
		return nil // an earlier attempt came this far, or Go code deleted the account
	}
	if err != nil {
		return err
	}
	return app.Delete(user)
}

// accountDeleted closes an account that Go code deletes. What the account leaves behind is deleted in steps.
func (s *Social) accountDeleted(tx core.App, e *core.RecordEvent) error {
	if err := s.closeAccount(tx, e.Record); err != nil {
		return err
	}
	return e.Next()
}

// boundSeenAt keeps seenAt, when the tray was last seen, from going back or into the future.
func boundSeenAt(e *core.RecordEvent) error {
	seen := account.ClampSeenAt(e.Record.Original().GetDateTime("seenAt").Time(), e.Record.GetDateTime("seenAt").Time(), clock.Now(e.App))
	if !seen.IsZero() {
		at, err := types.ParseDateTime(seen)
		if err != nil {
			return err
		}
		e.Record.Set("seenAt", at)
	}
	return e.Next()
}
