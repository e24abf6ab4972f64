package guard

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility"
	_ "github.com/doubletap/doubletap/migrations"
)

func TestCheckQuestion(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	for _, test := range []struct {
		collection, parameter, value string
		ok                           bool
	}{
		{"feed", "filter", `at <= "x" && (at < "x" || post < "y")`, true},
		{"posts", "filter", `caption ~ "mail_via_x" || caption ~ "email"`, true},
		{"posts", "filter", `author.handle = "ada"`, true},
		{"posts", "filter", `caption = '` + strings.Repeat("(", 90) + `'`, true},
		{"posts", "filter", `caption = '\'` + strings.Repeat("(", 90) + `'`, true},
		{"posts", "filter", `caption = '(' && ` + strings.Repeat("(", 10) + "id=1" + strings.Repeat(")", 10), true},
		{"posts", "filter", `caption = ')))))' && ` + strings.Repeat("(", 11) + "id=1" + strings.Repeat(")", 11), false},
		{"posts", "filter", strings.Repeat("(", 101), false},
		{"users", "filter", `email ~ "a"`, false},
		{"posts", "filter", `id != "" && (name = "x" || author.email !~ "a")`, false},
		{"users", "filter", `email:lower = "a"`, false},
		{"users", "filter", `"a" = email`, false},
		{"posts", "filter", `email = "a"`, true}, // posts have no such field; PocketBase reports it
		{"posts", "filter", `likes_via_post.user = "x"`, false},
		{"posts", "filter", `geoDistance(a_via_b.lon, 1, 2, 3) < 4`, false},
		{"users", "sort", "name, -email", false},
		{"users", "sort", "+saves_via_user.id", false},
		{"posts", "sort", "-created", true},
		{"posts", "filter", `this is no filter (`, true},
		{"posts", "filter", "", true},
		{"posts", "expand", " author , author. ", true},
		{"comments", "expand", "post.author,parent.author,author", true},
		{"comments", "expand", "post.a.b.c", false},
	} {
		c, err := app.FindCachedCollectionByNameOrId(test.collection)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckQuery(app, RecordQuery{Collection: c, Query: url.Values{test.parameter: {test.value}}}); (err == nil) != test.ok {
			t.Errorf("%s: %s=%s: %v", test.collection, test.parameter, test.value, err)
		}
	}
}
