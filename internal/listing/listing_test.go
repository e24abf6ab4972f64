package listing

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	_ "doubletap/migrations"
)

func TestWhatIsPlain(t *testing.T) {
	const feed, tray, posts = "feed/records?page=1&perPage=20&sort=-at,-post&skipTotal=1", "notifications/records?page=1&perPage=30&sort=-latestAt,-id&skipTotal=true",
		"posts/records?page=1&perPage=100&sort=-created&skipTotal=t"
	const at, last = "2025-01-02 03:04:05.678Z", "abcdefghijklmno"
	for _, test := range []struct {
		path string
		want Ask // without a collection: not plain
	}{
		{feed, Ask{Collection: "feed", PerPage: 20}},
		{feed + "&expand=post.author", Ask{Collection: "feed", PerPage: 20, Expand: "post.author"}},
		{feed + "&filter=" + url.QueryEscape(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`")`), Ask{Collection: "feed", PerPage: 20, At: at, Last: last}},
		{tray + "&expand=actors,post", Ask{Collection: "notifications", PerPage: 30, Expand: "actors,post"}},
		{tray + "&filter=" + url.QueryEscape(`latestAt <= "`+at+`" && (latestAt < "`+at+`" || id < "`+last+`")`), Ask{Collection: "notifications", PerPage: 30, At: at, Last: last}},
		{posts + "&filter=" + url.QueryEscape(`author = "`+last+`"`), Ask{Collection: "posts", PerPage: 100, Author: last}},
		{posts + "&filter=" + url.QueryEscape(`author = "`+last+`" && created < "`+at+`"`), Ask{Collection: "posts", PerPage: 100, Author: last, At: at}},
		{"posts/records/" + last, Ask{Collection: "posts", ID: last}},
		{"posts/records/" + last + "?expand=author", Ask{Collection: "posts", ID: last, Expand: "author"}},

		{posts, Ask{}},
		{"posts/records/" + last + "/", Ask{}},
		{"posts/records/" + last + "?fields=id", Ask{}},
		{"feed/records/" + last, Ask{}},
		{"users/records?page=1&perPage=20&skipTotal=1", Ask{}},
		{feed + "&perPage=10", Ask{}},
		{feed + "&fields=id", Ask{}},
		{feed + "&expand=author", Ask{}},
		{strings.Replace(feed, "perPage=20", "perPage=101", 1), Ask{}},
		{strings.Replace(feed, "page=1", "page=2", 1), Ask{}},
		{strings.Replace(feed, "skipTotal=1", "skipTotal=0", 1), Ask{}},
		{strings.Replace(feed, "-at,-post", "-at", 1), Ask{}},
		{feed + "&filter=" + url.QueryEscape(`at <= "`+at+`" && (at < "2024" || post < "`+last+`")`), Ask{}},
		{feed + "&filter=" + url.QueryEscape(`at <= "`+at+`" && (at < "`+at+`" || post < "x\"x")`), Ask{}},
		{feed + "&filter=" + url.QueryEscape(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`") || id != ""`), Ask{}},
		{posts + "&filter=" + url.QueryEscape(`author = "`+last+`" || id != ""`), Ask{}},
	} {
		u, err := url.Parse("/api/collections/" + test.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Read(u)
		if ok != (test.want.Collection != "") || ok && got != test.want {
			t.Errorf("%s: %+v, %v", test.path, got, ok)
		}
	}
}

// TestPagesAreSearched keeps every statement to indexes, so that a page costs the same however much there is.
func TestPagesAreSearched(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	reader, seen := NewReader(app), 0
	for collection, all := range expands {
		for _, expand := range all {
			for _, id := range []string{"", "abcdefghijklmno"} {
				if id != "" && collection != "posts" {
					continue
				}
				p, err := reader.page(Ask{Collection: collection, Expand: expand, ID: id})
				if err != nil || p == nil {
					t.Fatalf("%s with %q: %v, %v", collection, expand, p, err)
				}
				for _, statement := range slices.DeleteFunc([]string{p.first, p.next, p.actors}, func(s string) bool { return s == "" }) {
					searched(t, app, statement)
					seen++
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d statements", seen)
	}
}

func searched(t *testing.T, app core.App, statement string) {
	t.Helper()
	params := db.Params{}
	for _, name := range []string{"me", "key", "now", "at", "last", "author", "id", "ids"} {
		params[name] = "x"
	}
	params["n"] = 20
	var steps []struct{ Detail string }
	if err := app.DB().NewQuery("EXPLAIN QUERY PLAN " + statement).Bind(params).All(&steps); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, step := range steps {
		// rows of the same moment are few
		scans := strings.HasPrefix(step.Detail, "SCAN ") && !strings.HasPrefix(step.Detail, "SCAN json_each")
		sorts := strings.Contains(step.Detail, "TEMP B-TREE") && !strings.Contains(step.Detail, "LAST TERM")
		if scans || sorts {
			t.Errorf("%s in %s", step.Detail, statement)
		}
	}
}
