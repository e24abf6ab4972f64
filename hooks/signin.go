package hooks

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindSignIns() {
	s.app.OnRecordAuthRequest("users").Bind(&hook.Handler[*core.RecordAuthRequestEvent]{Func: answerErrors(s.stampSignIn), Priority: firstPriority})
	s.app.OnRecordDeleteRequest("users").BindFunc(answerErrors(confirmDeletion))
}

// stampSignIn begins a session for who signs in, and writes into the token which it is, and when its person signed in.
// PocketBase's tokens tell only when they end, and one that is refreshed for years looks like a new one; so a refresh
// keeps both. A token from before there were sessions gets one when it is refreshed.
func (s *Social) stampSignIn(e *core.RecordAuthRequestEvent) error {
	at, current := clock.Now(e.App), (*session.Session)(nil)
	if e.AuthMethod == "" {
		var err error
		if at, current, err = findSignIn(e.RequestEvent, e.Record.Id); err != nil {
			return err
		}
		if current == nil && e.Auth != nil && e.Auth.Id == e.Record.Id && session.Of(e.Auth) != "" {
			return fault.Unauthorized() // their session has ended since the token was looked at, as while a long body came in
		}
		if e.Token == web.BearerToken(e.RequestEvent) {
			return e.Next() // PocketBase renews no static token: what it has, it keeps
		}
	}
	started := false
	if current == nil {
		var err error
		if current, started, err = s.startSession(e); err != nil {
			return err
		}
	}
	ends, err := clock.ParseTime(current.Ends)
	if err != nil {
		return fmt.Errorf("read when session %s ends: %w", current.ID, err)
	}
	claims := jwt.MapClaims{session.Claim: current.ID, "exp": ends.Unix()}
	if !at.IsZero() {
		claims[account.SignInClaim] = at.Unix()
	}
	if e.Token, err = account.AddClaims(e.Record, e.Token, e.Collection.AuthToken.Secret, claims); err == nil {
		err = e.Next()
	}
	if err != nil && started { // refused after all, or the first proof of two
		s.dropSession(e.App, current)
	}
	return err
}

// findSignIn returns when and in which session a user signed in, by the token of their request; the zero time and nil where
// it does not say.
func findSignIn(e *core.RequestEvent, user string) (time.Time, *session.Session, error) {
	token := web.BearerToken(e)
	holder, err := web.FindByToken(e.App, token, core.TokenTypeAuth) // it may be an owner's own way that e.Auth came
	if err != nil || holder == nil || holder.Id != user {
		return time.Time{}, nil, err
	}
	current, _, err := session.FindLive(e.App, session.Of(holder), user)
	if err != nil {
		return time.Time{}, nil, err
	}
	claims, err := security.ParseUnverifiedJWT(token)
	at := cast.ToInt64(claims[account.SignInClaim])
	if err != nil || at == 0 {
		return time.Time{}, current, nil //nolint:nilerr // it does not say
	}
	return time.Unix(at, 0), current, nil
}

// maxSignInAge is how long ago a sign-in may be and still take the place of the password.
const maxSignInAge = 15 * time.Minute

// confirmDeletion requires whoever deletes their account to have signed in a moment ago or to give the password: a
// token alone may be a thief's, or left behind on somebody else's computer.
func confirmDeletion(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Id != e.Record.Id { // a superuser, or somebody whom an owner's rule allows
		return e.Next()
	}
	at, _, err := findSignIn(e.RequestEvent, e.Record.Id)
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
