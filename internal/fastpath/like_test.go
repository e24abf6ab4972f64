package fastpath

import (
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/visibility"
	_ "github.com/doubletap/doubletap/migrations"
)

// world is a data folder in which ada has shared a post that bob likes. No hooks run.
type world struct {
	*testing.T
	app   core.App
	cache LikeRuleCache
}

const (
	adasPost = "post00000000000"
	bobsLike = "like00000000000"
)

func idOf(name string) string { return name + strings.Repeat("0", 15-len(name)) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, app: dbtest.NewApp(t, core.BaseAppConfig{})}
	for _, name := range []string{"ada", "bob", "cyn"} {
		w.insert("users", dbx.Params{"id": idOf(name), "handle": name, "email": name + "@example.com", "tokenKey": strings.Repeat(name, 12), "password": "x", "state": "active"})
	}
	w.insert("posts", dbx.Params{"id": adasPost, "author": idOf("ada"), "photos": `["a.jpg"]`, "visibility": "public"})
	w.insert("likes", dbx.Params{"id": bobsLike, "post": adasPost, "user": idOf("bob"), "created": "2025-01-01 00:00:00.000Z"})
	return w
}

func (w *world) insert(table string, row dbx.Params) {
	w.Helper()
	if _, err := w.app.NonconcurrentDB().Insert(table, row).Execute(); err != nil {
		w.Fatalf("insert into %s: %v", table, err)
	}
}

// find returns a person as a token has them.
func (w *world) find(name string) *core.Record {
	w.Helper()
	person, err := db.RequireRecord(w.app, "users", idOf(name))
	if err != nil {
		w.Fatal(err)
	}
	return person
}

func (w *world) rules() (*core.Collection, *LikeRules) {
	w.Helper()
	likes, err := w.app.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		w.Fatal(err)
	}
	rules, err := w.cache.Find(w.app, likes)
	if err != nil {
		w.Fatal(err)
	}
	return likes, rules
}

// mayLike reports whether a person may like ada's post as user, which may be empty.
func (w *world) mayLike(person *core.Record, user string) bool {
	w.Helper()
	likes, rules := w.rules()
	allowed, err := NewLike(likes, adasPost, person.Id).ReadIfAllowed(w.app, rules, person, user)
	if err != nil {
		w.Fatal(err)
	}
	return allowed
}

// mayUnlike reports whether a person may delete bob's like.
func (w *world) mayUnlike(person *core.Record) bool {
	w.Helper()
	likes, rules := w.rules()
	l := NewLike(likes, "", "")
	l.ID = bobsLike
	found, err := l.ReadIfDeletable(w.app, rules, person)
	if err != nil {
		w.Fatal(err)
	}
	return found
}

// TestWhoLikesAndUnlikes lets things happen between the moment at which bob's token is looked at and the transaction of
// what he does.
func TestWhoLikesAndUnlikes(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile      string // a statement
		user           string // who likes, says the request
		likes, unlikes bool
	}{
		"nothing happens":          {likes: true, unlikes: true},
		"he names himself":         {user: idOf("bob"), likes: true, unlikes: true},
		"he names somebody else":   {user: idOf("cyn"), unlikes: true},
		"his token is taken back":  {meanwhile: `UPDATE users SET tokenKey = 'another' WHERE handle = 'bob'`},
		"he is suspended":          {meanwhile: `UPDATE users SET state = 'suspended' WHERE handle = 'bob'`, unlikes: true},
		"the author is suspended":  {meanwhile: `UPDATE users SET state = 'suspended' WHERE handle = 'ada'`, unlikes: true},
		"the post is made private": {meanwhile: `UPDATE posts SET visibility = 'private'`, unlikes: true},
		"the author blocks him":    {meanwhile: `INSERT INTO blocks (id, blocker, blocked) VALUES ('block0000000000', '` + idOf("ada") + `', '` + idOf("bob") + `')`, unlikes: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bob := w.find("bob")
			if c.meanwhile != "" {
				if _, err := w.app.NonconcurrentDB().NewQuery(c.meanwhile).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			if likes := w.mayLike(bob, c.user); likes != c.likes {
				t.Errorf("he may like: %v", likes)
			}
			if unlikes := w.mayUnlike(bob); unlikes != c.unlikes {
				t.Errorf("he may take his like back: %v", unlikes)
			}
			if w.mayUnlike(w.find("ada")) || w.mayUnlike(w.find("cyn")) {
				t.Error("others may take his like back")
			}
		})
	}
}

func TestTheRulesOfLikesFollowTheCollection(t *testing.T) {
	w := newWorld(t)
	bob := w.find("bob")
	if !w.mayLike(bob, "") {
		t.Fatal("bob may not like ada's post")
	}
	for _, change := range []struct {
		rule   string
		reason visibility.Reason
	}{
		{`@request.auth.verified = true`, ""},
		{`@request.query.secret = "x"`, visibility.UsesRequest},
		{`id != ""`, visibility.ReadsRow},
	} {
		likes, err := w.app.FindCollectionByNameOrId("likes")
		if err != nil {
			t.Fatal(err)
		}
		likes.CreateRule = &change.rule
		if err := w.app.Save(likes); err != nil {
			t.Fatal(err)
		}
		_, rules := w.rules()
		if rules.CreateReason != change.reason {
			t.Errorf("%s: reason %q, want %q", change.rule, rules.CreateReason, change.reason)
		}
		if rules.CreateReason == "" && w.mayLike(bob, "") {
			t.Errorf("%s: he likes, who is not verified", change.rule)
		}
	}
}
