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

	"doubletap/internal/db"
	"doubletap/internal/fault"
)

// tokens remembers to whom a token was given, for the fast path: its signature was verified with the person's
// key and the collection's secret. Any change of a person forgets theirs. Whether the key is still the person's, and
// the person may come in, is asked again in the transaction of what they do.
type tokens struct {
	mu      sync.Mutex // guards all below
	held    map[string]*holder
	changes int // of people so far, so that nothing read before a change is kept after it
}

type holder struct {
	person  *core.Record
	secret  string
	expires time.Time
}

const mostTokens = 20_000 // about 1 KB each

func (t *tokens) bind(app core.App) {
	forget := func(e *core.RecordEvent) error {
		t.forget(e.Record.Id)
		return e.Next()
	}
	app.OnRecordAfterUpdateSuccess("users").BindFunc(forget)
	app.OnRecordAfterDeleteSuccess("users").BindFunc(forget)
}

const remembered = "doubletap.remembered"

// quiet leaves successes out of PocketBase's log, where each is a row.
var quiet = apis.SkipSuccessActivityLog()

// load signs in who sends or takes back a like, or reads what the fast path reads.
func (t *tokens) load(e *core.RequestEvent) error {
	if _, ok := tapped(e); !ok {
		if _, ok := reading(e); !ok {
			return e.Next()
		}
	}
	if token := bearer(e); token != "" && e.Auth == nil {
		if e.Auth = t.of(e.App, token); e.Auth != nil {
			e.Set(remembered, token)
		}
	}
	return quiet.Func(e)
}

// reload looks the person up anew for a request that goes the general way.
func (t *tokens) reload(e *core.RequestEvent) (err error) {
	if token, _ := e.Get(remembered).(string); token != "" {
		e.Auth, err = findByToken(e.App, token, core.TokenTypeAuth)
	}
	return fault.Answer(err)
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
	if token := bearer(e); token != "" && e.Auth == nil {
		if e.Auth, err = findByToken(e.App, token, core.TokenTypeAuth); err != nil {
			return fault.Answer(err)
		}
	}
	return e.Next()
}

// of returns whose token it is, nil for nobody's.
func (t *tokens) of(app core.App, token string) *core.Record {
	t.mu.Lock()
	h, changes := t.held[token], t.changes
	t.mu.Unlock()
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return nil
	}
	if h != nil && time.Now().Before(h.expires) && h.secret == users.AuthToken.Secret {
		return h.person.Clone()
	}
	person, err := app.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || person.Collection().Name != "users" { //nolint:nilerr // callerRead says what it is
		return nil
	}
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return nil
	}
	h = &holder{person.Clone(), users.AuthToken.Secret, time.Unix(cast.ToInt64(claims["exp"]), 0)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes == changes {
		if len(t.held) >= mostTokens || t.held == nil {
			t.held = map[string]*holder{}
		}
		t.held[token] = h
	}
	return person
}

// forget drops the tokens of a person, or everybody's.
func (t *tokens) forget(person string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
	for token, h := range t.held {
		if person == "" || h.person.Id == person {
			delete(t.held, token)
		}
	}
}

// bearer is the token of a request, as PocketBase reads it.
func bearer(e *core.RequestEvent) string {
	token := e.Request.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}
