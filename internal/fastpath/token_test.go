package fastpath

import (
	"strconv"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// TestATokenIsRememberedUntilSomethingEndsIt changes bob's name behind the cache's back, so that what is remembered can
// be told from what is read anew.
func TestATokenIsRememberedUntilSomethingEndsIt(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile  func(w *world, tokens *TokenCache, token string)
		remembered bool
	}{
		"nothing happens":       {func(*world, *TokenCache, string) {}, true},
		"somebody else changes": {func(_ *world, tokens *TokenCache, _ string) { tokens.ForgetUser(idOf("ada")) }, true},
		"he changes":            {func(_ *world, tokens *TokenCache, _ string) { tokens.ForgetUser(idOf("bob")) }, false},
		"all users may change":  {func(_ *world, tokens *TokenCache, _ string) { tokens.ForgetUser("") }, false},
		"the token expires":     {func(_ *world, tokens *TokenCache, token string) { tokens.holders[token].expires = time.Now() }, false},
		"a caller renames him":  {func(w *world, tokens *TokenCache, token string) { tokens.UserOf(w.app, token).Set("name", "another") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, tokens := newWorld(t), &TokenCache{}
			token, err := w.find("bob").NewAuthToken()
			if err != nil {
				t.Fatal(err)
			}
			if user := tokens.UserOf(w.app, token); user == nil || user.Id != idOf("bob") {
				t.Fatalf("the token is of %v", user)
			}
			if user := tokens.UserOf(w.app, token+"x"); user != nil {
				t.Errorf("a token that nobody signed is of %v", user)
			}
			w.exec(`UPDATE users SET name = 'new' WHERE handle = 'bob'`)
			c.meanwhile(w, tokens, token)
			for range 2 { // what was read anew is remembered in turn
				want := map[bool]string{true: "", false: "new"}[c.remembered]
				if user := tokens.UserOf(w.app, token); user == nil || user.GetString("name") != want {
					t.Errorf("remembered: %v", user)
				}
			}
		})
	}
}

func (w *world) exec(statement string) {
	w.Helper()
	if _, err := w.app.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
		w.Fatal(err)
	}
}

func TestATokenEndsWithTheSecretThatSignsAll(t *testing.T) {
	w, tokens := newWorld(t), &TokenCache{}
	token, err := w.find("bob").NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	if tokens.UserOf(w.app, token) == nil {
		t.Fatal("the token is nobody's")
	}
	users, err := w.app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	users.AuthToken.Secret += "another"
	if err := w.app.Save(users); err != nil {
		t.Fatal(err)
	}
	if user := tokens.UserOf(w.app, token); user != nil {
		t.Errorf("with another secret it is still of %v", user)
	}
}

// changingApp is an app in which a user changes just after a token's user was read.
type changingApp struct {
	core.App
	change func()
}

func (a changingApp) FindAuthRecordByToken(token string, types ...string) (*core.Record, error) {
	user, err := a.App.FindAuthRecordByToken(token, types...)
	a.change()
	return user, err
}

func TestNothingIsRememberedThatWasReadBeforeAChange(t *testing.T) {
	w, tokens := newWorld(t), &TokenCache{}
	token, err := w.find("bob").NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	tokens.UserOf(changingApp{w.app, func() { tokens.ForgetUser(idOf("bob")) }}, token)
	if len(tokens.holders) != 0 {
		t.Error("bob is remembered as he was")
	}
}

func TestOnlySoManyTokensAreRemembered(t *testing.T) {
	w, tokens := newWorld(t), &TokenCache{holders: map[string]*tokenHolder{}}
	for i := range maxTokens {
		tokens.holders[strconv.Itoa(i)] = nil
	}
	token, err := w.find("bob").NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	tokens.UserOf(w.app, token)
	if n := len(tokens.holders); n > maxTokens || tokens.holders[token] == nil {
		t.Errorf("%d tokens are remembered, bob's among them: %v", n, tokens.holders[token] != nil)
	}
}
