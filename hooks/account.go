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

	"doubletap/internal/account"
	"doubletap/internal/clock"
	"doubletap/internal/deliver/mail"
	"doubletap/internal/deliver/wording"
	"doubletap/internal/erase"
	"doubletap/internal/fault"
	"doubletap/internal/graph"
	"doubletap/internal/guard"
	"doubletap/internal/inbox"
	"doubletap/internal/job"
	"doubletap/internal/post"
	"doubletap/internal/sweep"
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
	s.app.OnRecordUpdateExecute("settings").BindFunc(inTx(settingsChanged))
	s.jobs.Handle(erase.AccountWork.Kind, s.eraseAccount, job.Concurrency(2), sweepAttempts)
}

// handleHintKey is where a request keeps the name that somebody would like as a handle.
const handleHintKey = "doubletap.wish"

// oauthRequested notes how somebody who comes with OAuth2 is called there.
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

// requireActiveAccount lets only active people in by any way, whatever has become of the collection's own rule, and answers as that does.
func requireActiveAccount(e *core.RecordAuthRequestEvent) error {
	if e.Record.GetString("state") != account.Active && !e.HasSuperuserAuth() {
		return e.ForbiddenError("The request doesn't satisfy the collection requirements to authenticate.", nil)
	}
	return e.Next()
}

// prepareOAuthSignUp sees to it that a provider's word alone refuses no sign-up: a name there is a wish, for which a free handle is
// found where it is taken or reserved, however the owner has mapped it; and without an address it is said what to do.
func prepareOAuthSignUp(e *core.RecordAuthWithOAuth2RequestEvent) error {
	create := maps.Clone(e.CreateData)
	if create == nil {
		create = map[string]any{}
	}
	mapped := e.Collection.OAuth2.MappedFields
	if _, chosen := create["handle"]; !chosen && slices.Contains([]string{mapped.Id, mapped.Name, mapped.Username}, "handle") {
		create["handle"] = "" // else PocketBase takes the provider's as it is
	}
	e.CreateData = create
	email, _ := e.Collection.Fields.GetByName(core.FieldNameEmail).(*core.EmailField)
	if email != nil && email.Required && e.OAuth2User.Email == "" && cast.ToString(create[core.FieldNameEmail]) == "" {
		return fault.InvalidField(core.FieldNameEmail, "validation_email_missing",
			"The provider tells no verified e-mail address. Ask the person for one and send it as createData.email, or let your app ask the provider for it.")
	}
	return nil
}

// signupHints is what a request tells of the account that it makes, to where this is stored, in the transaction.
type signupHints struct {
	handleHint        string // that the person would like
	locale            string // of their browser
	sendsConfirmation bool   // a link to confirm the address
}

func (s *Social) accountRequested(e *core.RecordRequestEvent) error {
	signup := !e.HasSuperuserAuth() // who makes an account for somebody else knows why
	who := signupHints{handleHint: cmp.Or(cast.ToString(e.Get(handleHintKey)), e.Record.GetString("name")), sendsConfirmation: signup && canMail(e.App)}
	if signup {
		who.locale = wording.PreferredLocale(e.Request.Header.Get("Accept-Language"))
	}
	s.signupHints.Store(e.Record, who)
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
	came, _ := s.signupHints.Load(user)
	who, _ := came.(signupHints)
	if user.GetString("handle") == "" {
		handle, err := account.FindFreeHandle(tx, cmp.Or(who.handleHint, user.GetString("name")))
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
		if err := account.MakeSettings(tx, user.Id, who.locale); err != nil {
			return err
		}
		if !who.sendsConfirmation || user.Verified() || user.Email() == "" {
			return nil
		}
		return queueAccountMail(tx, accountMail{mail.Verification, user.Collection().Name, user.Id, ""}, user.Email(), "")
	})
}

// prepareAccountChange ends every session of an account that is no longer active.
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
	opened := before.GetBool("private") && !user.GetBool("private")
	closed := !before.GetBool("private") && user.GetBool("private")
	if closed || hasChanged(user, "state") {
		inbox.RecheckAuthor(tx, user.Id)
		if err := s.queuePurge(tx, purgePayload{Author: user.Id}); err != nil {
			return err
		}
	}
	if opened || closed || hasChanged(user, "state") {
		if err := post.EnqueueCount(tx, user.Id); err != nil {
			return err
		}
	}
	if opened {
		return job.Enqueue(tx, graph.ReleaseRequests.Kind, sweep.Subject{"user": user.Id})
	}
	return nil
}

// accountDeleteRequested closes the account at once and leaves the erasing to a job, so that
// nobody waits for a life's worth of posts.
func (s *Social) accountDeleteRequested(e *core.RecordRequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		user, err := findRecord(tx, "users", e.Record.Id)
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
		if err := erase.CheckNotRequired(tx, user); err != nil {
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
	user, err := findRecord(app, "users", on["user"])
	if errors.Is(err, fault.ErrGone) {
		return nil // a former try came this far, or Go code deleted it
	}
	if err != nil {
		return err
	}
	return app.Delete(user)
}

// accountDeleted closes an account that Go code deletes; what it leaves behind goes in steps.
func (s *Social) accountDeleted(tx core.App, e *core.RecordEvent) error {
	if err := s.closeAccount(tx, e.Record); err != nil {
		return err
	}
	return e.Next()
}

// boundSeenAt keeps the tray from being seen backwards or ahead of time.
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

func settingsChanged(tx core.App, e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	inbox.PersonRowChanged(tx, e.Record.GetString("user"), "settings")
	return nil
}
