package visibility

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestWhoMayCreateALike asks create rules that an admin could give to likes, of bob who likes a post of ada's.
func TestWhoMayCreateALike(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	users := storeCast(t, app)
	ada, bob, dave := users[0], users[1], users[3]
	post := func(condition string) string {
		t.Helper()
		found, err := app.FindFirstRecordByFilter("posts", "author = '"+ada.Id+"' && hidden = false && "+condition)
		if err != nil {
			t.Fatal(err)
		}
		return found.Id
	}
	public, private, liked := post("visibility = 'public'"), post("visibility = 'private'"), post("visibility = 'followers'") // which somebody likes
	superuser := core.NewRecord(core.NewAuthCollection(core.CollectionNameSuperusers))
	own, sees, shipped := `user = @request.auth.id`, `seesPost(@request.auth.id, post) = true`, `@request.auth.id != "" && user = @request.auth.id && seesPost(@request.auth.id, post) = true`
	nobody, everybody, invalid := (*string)(nil), new(string), "("
	first, another := `@collection.likes.post != post`, `@collection.likes.post ?= post`
	for name, test := range map[string]struct {
		rule    *string
		caller  *core.Record
		post    string
		allowed bool
	}{
		"his own like":                                    {&own, bob, private, true},
		"a like of his, asked by somebody else":           {&own, ada, public, false},
		"a like of his, asked by a guest":                 {&own, nil, public, false},
		"a post that he sees":                             {&sees, bob, public, true},
		"a post that he does not see":                     {&sees, bob, private, false},
		"a post whose author he has blocked":              {&sees, dave, public, false},
		"all of a rule":                                   {&shipped, bob, public, true},
		"all of a rule but the post":                      {&shipped, bob, private, false},
		"a rule that reads the collection":                {&another, bob, liked, true},
		"a rule that reads the collection, but not there": {&another, bob, public, false},
		"a rule that no stored row may meet":              {&first, bob, liked, false},
		"a rule for superusers":                           {nobody, bob, public, false},
		"a rule for superusers, asked by one":             {nobody, superuser, public, true},
		"a rule that a superuser does not meet":           {&own, superuser, private, true},
		"a rule for everybody":                            {everybody, nil, private, true},
	} {
		likes, err := app.FindCollectionByNameOrId("likes")
		if err != nil {
			t.Fatal(err)
		}
		likes.CreateRule = test.rule
		like := core.NewRecord(likes)
		like.Load(map[string]any{"post": test.post, "user": bob.Id})
		info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "POST", Auth: test.caller}
		if allowed, err := MayCreate(app, like, info); err != nil || allowed != test.allowed {
			t.Errorf("%s: %v (%v), want %v", name, allowed, err, test.allowed)
		}
		likes.CreateRule = &invalid
		if test.caller == bob {
			if allowed, err := MayCreate(app, like, info); err == nil || allowed {
				t.Errorf("%s: a rule that nobody can read lets bob in: %v", name, allowed)
			}
		}
	}
}
