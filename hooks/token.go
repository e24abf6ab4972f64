package hooks

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// tokenCache remembers, for the fast path, which user a token belongs to: its signature was verified with the user's
// key and the collection's secret. Any change of a user forgets their tokens. Whether the key is still the user's,
// and the user may come in, is checked again in the transaction of what they do.
type tokenCache struct {
	mu          sync.Mutex // guards all below
	holders     map[string]*tokenHolder
	userChanges int // changes of users so far, so that nothing read before a change is remembered after it
}

type tokenHolder struct {
	user    *core.Record
	secret  string
	expires time.Time
}

const maxTokens = 20_000 // about 1 KB each

func (t *tokenCache) bindForget(app core.App) {
	forget := func(e *core.RecordEvent) error {
		t.forgetUser(e.Record.Id)
		return e.Next()
	}
	app.OnRecordAfterUpdateSuccess("users").BindFunc(forget)
	app.OnRecordAfterDeleteSuccess("users").BindFunc(forget)
}

const rememberedTokenKey = "doubletap.remembered" // #nosec G101 -- the name of a value that a request keeps

// skipSuccessLog leaves successes out of PocketBase's log, where each is a row.
var skipSuccessLog = apis.SkipSuccessActivityLog()

// loadUser signs in the sender of a request that the fast path may serve: a like, an unlike or a read that it knows.
func (t *tokenCache) loadUser(e *core.RequestEvent) error {
	if _, ok := cutLikesPath(e); !ok {
		if _, ok := fastReadOf(e); !ok {
			return e.Next()
		}
	}
	if token := bearerToken(e); token != "" && e.Auth == nil {
		if e.Auth = t.userOf(e.App, token); e.Auth != nil {
			e.Set(rememberedTokenKey, token)
		}
	}
	return skipSuccessLog.Func(e)
}

// reloadUser looks the person up anew for a request that goes the general way.
func (t *tokenCache) reloadUser(e *core.RequestEvent) (err error) {
	if token, _ := e.Get(rememberedTokenKey).(string); token != "" {
		e.Auth, err = findByToken(e.App, token, core.TokenTypeAuth)
	}
	return fault.ForClient(err)
}

// findByToken returns whose token it is, nil for nobody's: it is none of ours, or its time is over, or the person is gone. That the
// person cannot be read is an error, or a failing disk would make guests of everybody.
func findByToken(app core.App, token, kind string) (*core.Record, error) {
	person, err := app.FindAuthRecordByToken(token, kind)
	if db.Failed(err) {
		return nil, fmt.Errorf("find whose token it is: %w", err)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // nobody's
	}
	return person, nil
}

// callerRead signs in who sends a token, in place of PocketBase, which takes whom it cannot read for a guest.
func callerRead(e *core.RequestEvent) (err error) {
	if token := bearerToken(e); token != "" && e.Auth == nil {
		if e.Auth, err = findByToken(e.App, token, core.TokenTypeAuth); err != nil {
			return fault.ForClient(err)
		}
	}
	return e.Next()
}

// userOf returns the user a token belongs to, or nil.
func (t *tokenCache) userOf(app core.App, token string) *core.Record {
	t.mu.Lock()
	h, changes := t.holders[token], t.userChanges
	t.mu.Unlock()
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return nil
	}
	if h != nil && time.Now().Before(h.expires) && h.secret == users.AuthToken.Secret {
		return h.user.Clone()
	}
	user, err := app.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || user.Collection().Name != "users" { //nolint:nilerr // callerRead says what it is
		return nil
	}
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return nil
	}
	h = &tokenHolder{user.Clone(), users.AuthToken.Secret, time.Unix(cast.ToInt64(claims["exp"]), 0)}
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

// forgetUser forgets the tokens of a user, or all tokens if the id is empty.
func (t *tokenCache) forgetUser(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.userChanges++
	for token, h := range t.holders {
		if id == "" || h.user.Id == id {
			delete(t.holders, token)
		}
	}
}

// bearerToken returns the token of a request as PocketBase reads it, or empty.
func bearerToken(e *core.RequestEvent) string {
	token := e.Request.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}
