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
	s.app.OnRecordAuthWithOAuth2Request("users").BindFunc(answer(accountIntroduced))
	s.app.OnRecordAuthRequest("users").BindFunc(accountSignedIn)
	s.app.OnRecordAuthWithOAuth2Request().Bind(&hook.Handler[*core.RecordAuthWithOAuth2RequestEvent]{Priority: last, Func: s.avatarFetched})
	s.app.OnRecordCreateRequest("users").BindFunc(answer(s.accountRequested))
	s.app.OnRecordCreate("users").BindFunc(answer(accountOffered))
	s.app.OnRecordCreateExecute("users").Bind(afterFiles(together(s.accountStored)))
	s.app.OnRecordUpdate("users").BindFunc(answer(accountChanging))
	s.app.OnRecordUpdateExecute("users").Bind(afterFiles(together(s.accountChanged)))
	s.app.OnRecordDeleteRequest("users").BindFunc(answer(s.accountClosing))
	s.app.OnRecordDelete("users").BindFunc(together(s.accountErased))
	s.app.OnRecordUpdate("settings").BindFunc(answer(settingsChanging))
	s.app.OnRecordUpdateExecute("settings").BindFunc(together(settingsChanged))
	s.jobs.Handle(erase.Account.Kind, s.eraseAccount, job.Concurrency(2), sweepAttempts)
}

// wish is where a request keeps the name that somebody would like as a handle.
const wish = "doubletap.wish"

// accountIntroduced notes how somebody who comes with OAuth2 is called there.
func accountIntroduced(e *core.RecordAuthWithOAuth2RequestEvent) error {
	e.OAuth2User.Email = account.FoldAddress(e.OAuth2User.Email) // PocketBase compares it with the stored one
	if e.IsNewRecord {
		if err := accountInvited(e); err != nil {
			return err
		}
	}
	e.Set(wish, cmp.Or(e.OAuth2User.Username, e.OAuth2User.Name))
	return e.Next()
}

// accountSignedIn lets only active people in by any way, whatever has become of the collection's own rule, and answers as that does.
func accountSignedIn(e *core.RecordAuthRequestEvent) error {
	if e.Record.GetString("state") != account.Active && !e.HasSuperuserAuth() {
		return e.ForbiddenError("The request doesn't satisfy the collection requirements to authenticate.", nil)
	}
	return e.Next()
}

// accountInvited sees to it that a provider's word alone refuses no sign-up: a name there is a wish, for which a free handle is
// found where it is taken or reserved, however the owner has mapped it; and without an address it is said what to do.
func accountInvited(e *core.RecordAuthWithOAuth2RequestEvent) error {
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
		return fault.Invalid(core.FieldNameEmail, "validation_email_missing",
			"The provider tells no verified e-mail address. Ask the person for one and send it as createData.email, or let your app ask the provider for it.")
	}
	return nil
}

// newcomer is what a request tells of the account that it makes, to where this is stored, in the transaction.
type newcomer struct {
	handle string // that the person would like
	locale string // of their browser
	mailed bool   // a link to confirm the address
}

func (s *Social) accountRequested(e *core.RecordRequestEvent) error {
	signup := !e.HasSuperuserAuth() // who makes an account for somebody else knows why
	who := newcomer{handle: cmp.Or(cast.ToString(e.Get(wish)), e.Record.GetString("name")), mailed: signup && canMail(e.App)}
	if signup {
		who.locale = wording.Locale(e.Request.Header.Get("Accept-Language"))
	}
	s.wishes.Store(e.Record, who)
	defer s.wishes.Delete(e.Record)
	return e.Next()
}

func accountOffered(e *core.RecordEvent) error {
	e.Record.SetEmail(account.FoldAddress(e.Record.Email()))
	e.Record.Set("handle", strings.ToLower(e.Record.GetString("handle")))
	guard.Default(e.Record, "state", account.Active)
	guard.Default(e.Record, "role", "member")
	return e.Next()
}

func (s *Social) accountStored(tx core.App, e *core.RecordEvent) error {
	user := e.Record
	came, _ := s.wishes.Load(user)
	who, _ := came.(newcomer)
	if user.GetString("handle") == "" {
		handle, err := account.FreeHandle(tx, cmp.Or(who.handle, user.GetString("name")))
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
	return run("OnSignup", &s.events.signup, &AccountEvent{App: tx, User: user}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := account.MakeSettings(tx, user.Id, who.locale); err != nil {
			return err
		}
		if !who.mailed || user.Verified() || user.Email() == "" {
			return nil
		}
		return queueAccountMail(tx, accountMail{mail.Verification, user.Collection().Name, user.Id, ""}, user.Email(), "")
	})
}

// accountChanging ends every session of an account that is no longer active.
func accountChanging(e *core.RecordEvent) error {
	if changed(e.Record, core.FieldNameEmail) {
		e.Record.SetEmail(account.FoldAddress(e.Record.Email()))
	}
	e.Record.Set("handle", strings.ToLower(e.Record.GetString("handle")))
	if e.Record.GetString("handle") == "" && e.Record.Original().GetString("handle") != "" {
		return fault.Invalid("handle", "validation_required", "Cannot be blank.")
	}
	guard.Default(e.Record, "state", account.Active)
	guard.Default(e.Record, "role", "member")
	if changed(e.Record, "state") && e.Record.GetString("state") != account.Active {
		e.Record.RefreshTokenKey()
	}
	return e.Next()
}

func (s *Social) accountChanged(tx core.App, e *core.RecordEvent) error {
	user, before := e.Record, e.Record.Original()
	if changed(user, "handle") {
		if err := account.ChangeHandle(tx, user.Id, user.GetString("handle")); err != nil {
			return err
		}
	}
	if changed(user, core.FieldNameEmail) {
		if err := account.CheckAddress(tx, user); err != nil {
			return err
		}
	}
	if err := e.Next(); err != nil {
		return err
	}
	opened := before.GetBool("private") && !user.GetBool("private")
	closed := !before.GetBool("private") && user.GetBool("private")
	if closed || changed(user, "state") {
		inbox.RecheckAuthor(tx, user.Id)
		if err := s.photosClosed(tx, purgePayload{Author: user.Id}); err != nil {
			return err
		}
	}
	if opened || closed || changed(user, "state") {
		if err := post.CountTags(tx, user.Id); err != nil {
			return err
		}
	}
	if opened {
		return job.Add(tx, graph.Release.Kind, sweep.Subject{"user": user.Id})
	}
	return nil
}

// accountClosing closes the account at once and leaves the erasing to a job, so that
// nobody waits for a life's worth of posts.
func (s *Social) accountClosing(e *core.RecordRequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		user, err := find(tx, "users", e.Record.Id)
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
	return run("OnErase", &s.events.erase, &AccountEvent{App: tx, User: user}, func() error {
		if err := erase.Needed(tx, user); err != nil {
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
			if err := credentialMailed(tx, user, user.Email(), "deleted"); err != nil {
				return err
			}
		}
		return job.Add(tx, erase.Account.Kind, sweep.Subject{"user": user.Id}, job.Dedupe(user.Id))
	})
}

func (s *Social) eraseAccount(ctx context.Context, app core.App, j *job.Job) error {
	var on sweep.Subject
	if err := j.Payload(&on); err != nil {
		return err
	}
	if err := erase.Account.Finish(ctx, app, on); err != nil {
		return err
	}
	user, err := find(app, "users", on["user"])
	if errors.Is(err, fault.ErrGone) {
		return nil // a former try came this far, or Go code deleted it
	}
	if err != nil {
		return err
	}
	return app.Delete(user)
}

// accountErased closes an account that Go code deletes; what it leaves behind goes in steps.
func (s *Social) accountErased(tx core.App, e *core.RecordEvent) error {
	if err := s.closeAccount(tx, e.Record); err != nil {
		return err
	}
	return e.Next()
}

// settingsChanging keeps the tray from being seen backwards or ahead of time.
func settingsChanging(e *core.RecordEvent) error {
	seen := account.Seen(e.Record.Original().GetDateTime("seenAt").Time(), e.Record.GetDateTime("seenAt").Time(), clock.Now(e.App))
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
	inbox.Updated(tx, e.Record.GetString("user"), "settings")
	return nil
}
