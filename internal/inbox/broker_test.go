package inbox

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestPocketBaseKnowsWhoListensToOwnersAlone(t *testing.T) {
	s := startService(t)
	games := core.NewBaseCollection("games")
	games.ListRule = new(string)
	requireNoError(t, s.app.Save(games))
	known := func(want int, when string) {
		t.Helper()
		if n := s.app.SubscriptionsBroker().TotalClients(); n != want {
			t.Errorf("%s: PocketBase knows %d", when, n)
		}
	}
	d, other := s.connectDevice(s.tokenOf("ada"), "posts/*"), s.connectDevice("", "likes/*")
	known(0, "ours")
	d.subscribe("posts/*", "games/*")
	other.subscribe("a topic of its own")
	known(2, "owners'")
	requireNoError(t, s.app.Save(core.NewRecord(games)))
	if e := d.nextEvent(); e.name != "games/*" {
		t.Errorf("got %v", e)
	}
	d.subscribe("posts/*")
	known(1, "no longer")
	if d.serverDevice().IsDiscarded() {
		t.Error("it is discarded")
	}
	post := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public"})
	d.wantEvents("posts/* create " + post.Id)
	other.serverDevice().Discard()
	other.wantEnd()
	requireWithin(t, "the other to leave", func() {
		for s.app.SubscriptionsBroker().TotalClients() > 0 {
		}
	})
	if status := other.subscribe("likes/*"); status != 404 {
		t.Errorf("a client that is gone subscribes: %d", status)
	}
}

// Whatever account a device is signed in with, and whatever else it listens to: when the account's tokens die, it is
// sent what a guest is sent.
func TestWhoIsSignedOutHearsAsAGuest(t *testing.T) {
	s := startService(t)
	clubs := core.NewAuthCollection("clubs")
	requireNoError(t, s.app.Save(clubs))
	products := core.NewBaseCollection("products")
	products.ListRule = types.Pointer(`@request.auth.id != ""`)
	requireNoError(t, s.app.Save(products))
	posts, err := s.app.FindCollectionByNameOrId("posts")
	requireNoError(t, err)
	posts.ListRule = types.Pointer(`@request.auth.id != "" || visibility = "public"`)
	requireNoError(t, s.app.Save(posts))
	club := s.saveRecord("clubs", map[string]any{"email": "club@example.com", "password": "correct horse"})
	s.addSuperuser("last@example.com") // PocketBase refuses to delete the last superuser
	for name, end := range map[string]func(account *core.Record){
		"a new password": func(account *core.Record) {
			account.SetPassword("another horse")
			requireNoError(t, s.app.Save(account))
		},
		"a new secret": func(account *core.Record) {
			s.inbox.SignOutCollection(account.Collection())
		},
		"its end": func(account *core.Record) { requireNoError(t, s.app.Delete(account)) },
	} {
		for _, account := range []*core.Record{club, s.findUser("bob"), s.saveRecord("_superusers", map[string]any{"email": "root@example.com", "password": "correct horse"})} {
			for _, more := range [][]string{nil, {"products/*"}} {
				t.Run(name+" of "+account.Collection().Name, func(t *testing.T) {
					one := s.saveRecord(account.Collection().Name, map[string]any{"email": core.GenerateDefaultRandomId() + "@example.com", "password": "correct horse", "state": "active", "handle": core.GenerateDefaultRandomId()})
					token, err := one.NewAuthToken()
					requireNoError(t, err)
					d := s.connectDevice(token, append(more, "posts/*")...)
					closed := s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "private"})
					d.wantEvents("posts/* create " + closed.Id)
					one.Set("emailVisibility", true)
					requireNoError(t, s.app.SaveNoValidate(one)) // a change that leaves it signed in
					s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "private"})
					d.nextEvent()
					one, err = s.app.FindRecordById(one.Collection(), one.Id) // as another request reads it
					requireNoError(t, err)
					end(one)
					s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "private"})
					open := s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "public"})
					d.wantEvents("posts/* create " + open.Id)
					d.serverDevice().Discard()
				})
			}
			if account.IsSuperuser() {
				requireNoError(t, s.app.Delete(account))
			}
		}
	}
}
