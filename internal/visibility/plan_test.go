package visibility

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// storeCast stores users who follow and block each other, with posts of all kinds, and returns the users.
func storeCast(t *testing.T, app core.App) (users []*core.Record) {
	t.Helper()
	store := func(collection string, values map[string]any) *core.Record {
		c, err := app.FindCachedCollectionByNameOrId(collection)
		if err != nil {
			t.Fatal(err)
		}
		record := core.NewRecord(c)
		record.Load(values)
		if err := app.SaveNoValidate(record); err != nil {
			t.Fatalf("%s %v: %v", collection, values, err)
		}
		return record
	}
	for i, name := range []string{"ada", "bob", "carol", "dave"} {
		users = append(users, store("users", map[string]any{"handle": name, "email": name + "_1@example.com", "password": "password1234", "state": "active",
			"role": []string{"member", "moderator"}[i%2], "verified": i < 2, "private": i == 2, "emailVisibility": i == 1}))
	}
	id := func(i int) string { return users[i].Id }
	store("follows", map[string]any{"follower": id(1), "followee": id(0), "state": "accepted"})
	store("follows", map[string]any{"follower": id(3), "followee": id(2), "state": "pending"})
	store("follows", map[string]any{"follower": id(0), "followee": id(2), "state": "accepted"})
	store("blocks", map[string]any{"blocker": id(3), "blocked": id(0)})
	for i := range 24 {
		post := store("posts", map[string]any{"author": id(i % 4), "caption": fmt.Sprint("no. ", i, " it's [[odd]] {:me} ", strings.Repeat("x", i%3)), "likesCount": i % 5,
			"visibility": []string{"public", "followers", "private"}[i/4%3], "hidden": i%7 == 0, "alts": []string{"a", "b"}[:i%3%2+1], "place": []string{"", "Prague", "5", "5.0"}[i/2%4]})
		for j := range i % 3 {
			store("likes", map[string]any{"post": post.Id, "user": id(j)})
		}
		if i%4 == 0 {
			store("comments", map[string]any{"post": post.Id, "author": id(i / 4 % 4), "text": "hello"})
		}
	}
	return users
}

// postRules are rules that an admin could give to posts, and why one has no plan.
var postRules = []struct {
	rule   string
	reason Reason
}{
	{`id != ""`, ""},
	{`@request.auth.id != ""`, ""},
	{`author = @request.auth.id`, ""},
	{`author != @request.auth.id`, ""},
	{`(@request.auth.id != "" && author = @request.auth.id) || (hidden = false && sees(@request.auth.id, author, visibility) = true)`, ""},
	{`sees(@request.auth.id, author, "public") = false`, ""},
	{`seesPost(@request.auth.id, id) != true`, ""},
	{`blocked(@request.auth.id, author) = false && hidden = false`, ""},
	{`@request.auth.role = "moderator" || author = @request.auth.id`, ""},
	{`@request.auth.role != "moderator"`, ""},
	{`@request.auth.state:lower = "ACTIVE"`, ""},
	{`@request.auth.verified = true`, ""},
	{`@request.auth.verified != true && visibility = 'public'`, ""},
	{`@request.auth.emailVisibility = hidden`, ""},
	{`@request.auth.email = "bob_1@example.com"`, ""},
	{`@request.auth.email != author.email`, ""},
	{`@request.auth.email ~ "bob"`, ""},
	{`@request.auth.collectionName = "users" && hidden = false`, ""},
	{`@request.auth.nothing = "x" || likesCount > 2`, ""},
	{`author.private = false`, ""},
	{`author.role = "moderator" && author.handle != "dave"`, ""},
	{`author.id = @request.auth.id || author.handle = @request.auth.handle`, ""},
	{`likesCount >= 3`, ""},
	{`likesCount = 3`, ""},
	{`likesCount < 2.5`, ""},
	{`place = ""`, ""},
	{`place != "" || likesCount < 1`, ""},
	{`place = 5`, ""},
	{`caption ~ "it's [[odd]] {:me}"`, ""},
	{`caption = "no. 7 it's [[odd]] {:me} x" || caption = "{{posts}}"`, ""},
	{`caption !~ "xx"`, ""},
	{`visibility = "public" // all others are theirs`, ""},
	{`alts:length > 1`, ""},
	{`photos:length = 0`, ""},
	{`likes_via_post.user ?= @request.auth.id`, ""},
	{`likes_via_post.user = @request.auth.id`, ""},
	{`likes_via_post.user != @request.auth.id`, ""},
	{`likes_via_post.user.role = "member" && hidden = false`, ""},
	{`comments_via_post.author.handle ?= "bob"`, ""},
	{`author.follows_via_followee.follower ?= @request.auth.id`, ""},
	{`@request.auth.follows_via_follower.followee ?= author`, ""},
	{`@request.auth.follows_via_follower.followee = author`, ""},
	{`@collection.blocks.blocker ?= author && @collection.blocks.blocked ?= @request.auth.id`, ""},
	{`@collection.likes.post = id`, ""},
	{`@collection.posts:other.author ?= author && @collection.posts:other.hidden ?= true`, ""},
	{`geoDistance(geo.lon, geo.lat, 14.4, 50.1) < 10000`, ""},
	{`created < @now`, ""},
	{`created > @now || place = "Prague"`, ""},

	{`created < @tomorrow`, UsesTime},
	{`@hour < 25`, UsesTime},
	{`@request.query.secret = "x"`, UsesRequest},
	{`@request.headers.x_key = "x"`, UsesRequest},
	{`@request.method = "GET"`, UsesRequest},
	{`@request.context = "default"`, UsesRequest},
	{`@request.body.caption:isset = false`, UsesRequest},
	{`caption ~ @request.auth.id`, SearchesText},
	{`caption ~ @request.auth.email`, SearchesText},
	{`nothing = 1`, NotReadable},
	{`seesPost(id, id) = true`, NotReadable},
	{`caption = "it is @now"`, NotReadable},
	{`(`, NotReadable},
}

// TestAPlanShowsWhatPocketBaseShows compares the rows that a plan shows with those that PocketBase's resolver does, for
// every kind of rule and viewer.
func TestAPlanShowsWhatPocketBaseShows(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	users := storeCast(t, app)
	posts, err := app.FindCachedCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, test := range postRules {
		for _, viewer := range append([]*core.Record{nil}, users...) {
			viewers, me := ViewersOf(viewer)
			plan, reason := PlanOf(app, posts, &test.rule, viewers)
			if reason != test.reason && (viewer != nil || test.reason != SearchesText) { // guests have no id to look for
				t.Errorf("%s: reason %q, want %q", test.rule, reason, test.reason)
			}
			if plan == nil {
				continue
			}
			var got []string
			err := db.QueryColumn(app, &got, "SELECT row.id FROM posts row WHERE "+plan.SQL("row", "{:me}")+" AND {:me} IS NOT NULL ORDER BY row.id", db.Params{"me": me})
			if err != nil {
				t.Fatalf("%s: %v in %s", test.rule, err, plan.SQL("row", "{:me}"))
			}
			want, err := shownByPocketBase(app, posts, test.rule, viewer)
			if err != nil {
				t.Fatalf("%s: %v", test.rule, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s is shown %v, want %v, by %s", test.rule, me, got, want, plan.SQL("row", "{:me}"))
			}
			seen[fmt.Sprint(want)] = true
		}
	}
	if len(seen) < 30 {
		t.Errorf("the rules show %d different lists", len(seen))
	}
}

// shownByPocketBase returns the ids of the posts that a rule shows to a viewer, by PocketBase's own resolver.
func shownByPocketBase(app core.App, posts *core.Collection, rule string, viewer *core.Record) (ids []string, err error) {
	info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "GET", Auth: viewer}
	resolver := core.NewRecordFieldResolver(app, posts, info, true)
	condition, err := search.FilterData(rule).BuildExpr(resolver)
	if err != nil {
		return nil, err
	}
	query := app.RecordQuery(posts).Select("posts.id").AndWhere(condition).OrderBy("posts.id")
	if err := resolver.UpdateQuery(query); err != nil {
		return nil, err
	}
	err = query.Column(&ids)
	return ids, err
}

func TestAPlanFollowsTheCollection(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	find := func() *core.Collection {
		posts, err := app.FindCachedCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		return posts
	}
	rule := `archived = false`
	if _, reason := PlanOf(app, find(), &rule, nil); reason != NotReadable {
		t.Errorf("a field that is not there: %q", reason)
	}
	posts, err := app.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	posts.Fields.Add(&core.BoolField{Name: "archived"})
	if err := app.Save(posts); err != nil {
		t.Fatal(err)
	}
	first, reason := PlanOf(app, find(), &rule, nil)
	if first == nil {
		t.Fatalf("a field that was added: %q", reason)
	}
	if again, _ := PlanOf(app, find(), &rule, nil); again != first {
		t.Error("the plan was made twice")
	}
}

func TestARowThatIsNotStoredHasAPlan(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	likes, err := app.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		t.Fatal(err)
	}
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) (string, bool) { return "{:" + name + "}", name != "created" }
	for rule, want := range map[string]string{
		`user = @request.auth.id`:                  "({:user} = {:me})",
		`post.hidden = false`:                      "EXISTS (SELECT 1 FROM (SELECT 1) LEFT JOIN `posts` `likes_post` ON [[likes_post.id]] = {:post} WHERE [[likes_post.hidden]] = 0)",
		`created = ""`:                             "",
		`@collection.likes.user = user`:            "",
		`user.comments_via_author.text ?= "sorry"`: "EXISTS (SELECT 1 FROM (SELECT 1) LEFT JOIN `users` `likes_user` ON [[likes_user.id]] = {:user} LEFT JOIN `comments` `likes_user_comments_via_author` ON [[likes_user_comments_via_author.author]] = [[likes_user.id]] WHERE [[likes_user_comments_via_author.text]] = ('sorry'))",
	} {
		plan, reason := PlanOf(app, likes, &rule, users)
		if plan == nil {
			t.Errorf("%s: %s", rule, reason)
			continue
		}
		got, complete := plan.SQLOfUnstored(column, "{:me}")
		if complete != (want != "") || complete && got != want {
			t.Errorf("%s: %v, %s", rule, complete, got)
		}
	}
}

func TestTheShippedRulesAreThoseOfTheCollections(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	for name, want := range map[string]string{"posts": ShippedPostRule, "users": ShippedUserRule} {
		c, err := app.FindCachedCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		if *c.ListRule != want || *c.ViewRule != want {
			t.Errorf("%s ship with %s and %s", name, *c.ListRule, *c.ViewRule)
		}
	}
}

func TestARuleRequiresWhatAllItsPartsNeed(t *testing.T) {
	const own = `owner = @request.auth.id`
	for rule, want := range map[string]bool{
		own:                                       true,
		`@request.auth.id != "" && ` + own:        true,
		own + ` && (a = 1 || b = 2)`:              true,
		own + ` || a = 1`:                         false,
		`a = 1 || b = 2 && ` + own:                false,
		`(` + own + ` || a = 1) && b = 2`:         false,
		`owner != @request.auth.id`:               false,
		`owner ?= @request.auth.id`:               false,
		`owner = "@request.auth.id"`:              false,
		`other = @request.auth.id`:                false,
		`(`:                                       false,
		`f(@request.auth.id, owner) = true`:       false,
		`owner = @request.auth.id // || whatever`: true,
	} {
		if got := Requires(&rule, own); got != want {
			t.Errorf("%s: %v", rule, got)
		}
	}
	if Requires(nil, own) {
		t.Error("a rule for superusers")
	}
	rule := `gone = false && seesPost(@request.auth.id, post) = true`
	if !Requires(&rule, `seesPost(@request.auth.id, post) = true`) || Requires(&rule, `seesPost(@request.auth.id, id) = true`) || Requires(&rule, `seesPost(@request.auth.id, post) = false`) {
		t.Error("a function with its arguments is not told from another")
	}
}
