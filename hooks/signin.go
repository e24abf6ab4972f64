package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindSignIns() {
	s.app.OnRecordAuthRequest("users").Bind(&hook.Handler[*core.RecordAuthRequestEvent]{Func: answerErrors(stampSignIn), Priority: firstPriority})
	s.app.OnRecordDeleteRequest("users").BindFunc(answerErrors(confirmDeletion))
}

// stampSignIn writes into a token when its person signed in. PocketBase's tokens tell only when they end, and one
// that is refreshed for years looks like a new one; so a refresh keeps the time of the sign-in.
func stampSignIn(e *core.RecordAuthRequestEvent) error {
	at := clock.Now(e.App)
	if e.AuthMethod == "" {
		var err error
		if at, err = signInTime(e.RequestEvent, e.Record.Id); err != nil {
			return err
		}
	}
	if !at.IsZero() {
		token, err := account.StampToken(e.Record, e.Token, at)
		if err != nil {
			return err
		}
		e.Token = token
	}
	return e.Next()
}

// signInTime returns when a user signed in, by the token of their request, and the zero time where it does not say.
func signInTime(e *core.RequestEvent, user string) (time.Time, error) {
	token := web.BearerToken(e)
	holder, err := web.FindByToken(e.App, token, core.TokenTypeAuth) // it may be an owner's own way that e.Auth came
	if err != nil || holder == nil || holder.Id != user {
		return time.Time{}, err
	}
	claims, err := security.ParseUnverifiedJWT(token)
	at := cast.ToInt64(claims[account.SignInClaim])
	if err != nil || at == 0 {
		return time.Time{}, nil //nolint:nilerr // it does not say
	}
	return time.Unix(at, 0), nil
}

// maxSignInAge is how long ago a sign-in may be and still take the place of the password.
const maxSignInAge = 15 * time.Minute

// confirmDeletion requires whoever deletes their account to have signed in a moment ago or to give the password: a
// token alone may be a thief's, or left behind on somebody else's computer.
func confirmDeletion(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Id != e.Record.Id { // a superuser, or somebody whom an owner's rule allows
		return e.Next()
	}
	at, err := signInTime(e.RequestEvent, e.Record.Id)
	if err != nil {
		return err
	}
	if ago := clock.Now(e.App).Sub(at); !at.IsZero() && ago > -time.Minute && ago < maxSignInAge {
		return e.Next()
	}
	var form struct {
		Password string `json:"password" form:"password"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	if form.Password == "" || e.App.IsTransactional() { // a batch holds the write lock, and hashing takes long
		return fault.InvalidField("password", "validation_required", "Sign in again, or give the password.")
	}
	return provePassword(e.RequestEvent, func() error {
		if !e.Record.ValidatePassword(form.Password) {
			return fault.InvalidField("password", "validation_invalid_password", "This is not the password.")
		}
		return e.Next()
	})
}
