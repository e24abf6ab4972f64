package fastpath

import (
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/session"
)

// TokenCache remembers, for the fast path, which user a token belongs to: its signature was verified with the user's
// key and the collection's secret, and its session has not ended. Any change of a user, and each end of a session of
// theirs, forgets their tokens. Whether the key is still the user's,
// and the user may come in, is checked again in the transaction of what they do.
type TokenCache struct {
	mu          sync.Mutex // guards all below
	holders     map[string]*tokenHolder
	userChanges int // changes of users so far, so that nothing read before a change is remembered after it
}

type tokenHolder struct {
	user    *core.Record
	secret  string
	expires time.Time
	until   time.Time // the end of its session unless that is used, by the service's clock; zero without a session
}

const maxTokens = 20_000 // about 1 KB each

// UserOf returns the user a token belongs to, or nil.
func (t *TokenCache) UserOf(app core.App, token string) *core.Record {
	t.mu.Lock()
	h, changes := t.holders[token], t.userChanges
	t.mu.Unlock()
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return nil
	}
	if h != nil && time.Now().Before(h.expires) && h.secret == users.AuthToken.Secret && (h.until.IsZero() || clock.Now(app).Before(h.until)) {
		return h.user.Clone()
	}
	user, err := app.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || user.Collection().Name != "users" { //nolint:nilerr // web.SignInCaller says what it is
		return nil
	}
	user, until, err := session.Admit(app, user, token)
	if err != nil || user == nil { //nolint:nilerr // likewise
		return nil
	}
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return nil
	}
	h = &tokenHolder{user.Clone(), users.AuthToken.Secret, time.Unix(cast.ToInt64(claims["exp"]), 0), until}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.userChanges == changes {
		if len(t.holders) >= maxTokens || t.holders == nil {
			t.holders = map[string]*tokenHolder{}
		}
		t.holders[token] = h
	}
	return user
}

// ForgetUser forgets the tokens of a user, or all tokens if the id is empty.
func (t *TokenCache) ForgetUser(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.userChanges++
	for token, h := range t.holders {
		if id == "" || h.user.Id == id {
			delete(t.holders, token)
		}
	}
}
