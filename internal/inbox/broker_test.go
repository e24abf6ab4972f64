package inbox

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestPocketBaseKnowsWhoListensToOwnersAlone(t *testing.T) {
	s := serve(t)
	games := core.NewBaseCollection("games")
	games.ListRule = new(string)
	must(t, s.app.Save(games))
	known := func(want int, when string) {
		t.Helper()
		if n := s.app.SubscriptionsBroker().TotalClients(); n != want {
			t.Errorf("%s: PocketBase knows %d", when, n)
		}
	}
	d, other := s.connect(s.token("ada"), "posts/*"), s.connect("", "likes/*")
	known(0, "ours")
	d.subscribe("posts/*", "games/*")
	other.subscribe("a topic of its own")
	known(2, "owners'")
	must(t, s.app.Save(core.NewRecord(games)))
	if e := d.next(); e.name != "games/*" {
		t.Errorf("got %v", e)
	}
	d.subscribe("posts/*")
	known(1, "no longer")
	if d.device().IsDiscarded() {
		t.Error("it is discarded")
	}
	post := s.row("posts", map[string]any{"author": "bob", "visibility": "public"})
	d.want("posts/* create " + post.Id)
	other.device().Discard()
	other.wantEnd()
	within(t, "the other to leave", func() {
		for s.app.SubscriptionsBroker().TotalClients() > 0 {
		}
	})
	if status := other.subscribe("likes/*"); status != 404 {
		t.Errorf("a client that is gone subscribes: %d", status)
	}
}

// Whatever account a device is signed in with, and whatever else it listens to: when the account's tokens die, it hears as a guest.
func TestWhoIsSignedOutHearsAsAGuest(t *testing.T) {
	s := serve(t)
	clubs := core.NewAuthCollection("clubs")
	must(t, s.app.Save(clubs))
	products := core.NewBaseCollection("products")
	products.ListRule = types.Pointer(`@request.auth.id != ""`)
	must(t, s.app.Save(products))
	posts, err := s.app.FindCollectionByNameOrId("posts")
	must(t, err)
	posts.ListRule = types.Pointer(`@request.auth.id != "" || visibility = "public"`)
	must(t, s.app.Save(posts))
	club := s.row("clubs", map[string]any{"email": "club@example.com", "password": "correct horse"})
	s.superuser("last@example.com") // PocketBase keeps one
	for name, end := range map[string]func(account *core.Record){
		"a new password": func(account *core.Record) { account.SetPassword("another horse"); must(t, s.app.Save(account)) },
		"a new secret": func(account *core.Record) {
			s.in.SignOut(account.Collection())
		},
		"its end": func(account *core.Record) { must(t, s.app.Delete(account)) },
	} {
		for _, account := range []*core.Record{club, s.user("bob"), s.row("_superusers", map[string]any{"email": "root@example.com", "password": "correct horse"})} {
			for _, more := range [][]string{nil, {"products/*"}} {
				t.Run(name+" of "+account.Collection().Name, func(t *testing.T) {
					one := s.row(account.Collection().Name, map[string]any{"email": core.GenerateDefaultRandomId() + "@example.com", "password": "correct horse", "state": "active", "handle": core.GenerateDefaultRandomId()})
					token, err := one.NewAuthToken()
					must(t, err)
					d := s.connect(token, append(more, "posts/*")...)
					closed := s.row("posts", map[string]any{"author": "cyn", "visibility": "private"})
					d.want("posts/* create " + closed.Id)
					one.Set("emailVisibility", true)
					must(t, s.app.SaveNoValidate(one)) // which leaves it signed in
					s.row("posts", map[string]any{"author": "cyn", "visibility": "private"})
					d.next()
					one, err = s.app.FindRecordById(one.Collection(), one.Id) // as another request reads it
					must(t, err)
					end(one)
					s.row("posts", map[string]any{"author": "cyn", "visibility": "private"})
					open := s.row("posts", map[string]any{"author": "cyn", "visibility": "public"})
					d.want("posts/* create " + open.Id)
					d.device().Discard()
				})
			}
			if account.IsSuperuser() {
				must(t, s.app.Delete(account))
			}
		}
	}
}
