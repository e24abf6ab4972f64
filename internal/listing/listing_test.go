package listing

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/db/dbtest"
	_ "doubletap/migrations"
)

func TestWhatIsPlain(t *testing.T) {
	const (
		feed     = "feed/records?page=1&perPage=20&sort=-at,-post&skipTotal=1"
		tray     = "notifications/records?page=1&perPage=30&sort=-latestAt,-id&skipTotal=true"
		posts    = "posts/records?page=1&perPage=100&sort=-created&skipTotal=t"
		profile  = "posts/records?page=1&perPage=30&sort=-created,-id&skipTotal=true&expand=author"
		at, last = "2025-01-02 03:04:05.678Z", "abcdefghijklmno"
		behind   = `created <= "` + at + `" && (created < "` + at + `" || id < "` + last + `")`
	)
	filter := func(text string) string { return "&filter=" + url.QueryEscape(text) }
	for _, test := range []struct {
		path string
		want Ask // without a collection: not plain
	}{
		{feed, Ask{Collection: "feed", Sort: "-at,-post", PerPage: 20}},
		{feed + "&filter=&expand=post.author", Ask{Collection: "feed", Sort: "-at,-post", PerPage: 20, Expand: "post.author"}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`")`), Ask{Collection: "feed", Sort: "-at,-post", PerPage: 20, At: at, Last: last}},
		{tray + "&expand=actors,post.author,comment", Ask{Collection: "notifications", Sort: "-latestAt,-id", PerPage: 30, Expand: "actors,post.author,comment"}},
		{tray + filter(`latestAt <= "`+at+`" && (latestAt < "`+at+`" || id < "`+last+`")`), Ask{Collection: "notifications", Sort: "-latestAt,-id", PerPage: 30, At: at, Last: last}},
		{posts + filter(`author = "`+last+`"`), Ask{Collection: "posts", Sort: "-created", PerPage: 100, Author: last}},
		{profile + filter(`(author = "`+last+`")`), Ask{Collection: "posts", Sort: "-created,-id", PerPage: 30, Author: last, Expand: "author"}},
		{profile + filter(`(author = "`+last+`") && `+behind), Ask{Collection: "posts", Sort: "-created,-id", PerPage: 30, Author: last, Expand: "author", At: at, Last: last}},
		{"posts/records/" + last, Ask{Collection: "posts", ID: last}},
		{"posts/records/" + last + "?expand=author", Ask{Collection: "posts", ID: last, Expand: "author"}},

		{posts, Ask{}},
		{posts + filter(`(author = "`+last+`") && `+behind), Ask{}},
		{posts + filter(`author = "`+last+`" || id != ""`), Ask{}},
		{profile + filter(`author = "`+last+`" && `+behind), Ask{}},
		{profile + filter(`(author = "`+last+`"`), Ask{}},
		{profile + filter(`(author = "`+last+`") || `+behind), Ask{}},
		{profile + filter(behind), Ask{}},
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
		{feed + filter(`at <= "`+at+`" && (at < "2024" || post < "`+last+`")`), Ask{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "x\"x")`), Ask{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`") || id != ""`), Ask{}},
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
	app := dbtest.New(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
	reader := NewReader(app)
	for collection, known := range pages {
		for _, expand := range known.expands {
			asks := []Ask{{Collection: collection, Expand: expand, ID: "abcdefghijklmno"}}
			if collection != "posts" {
				asks = nil
			}
			for _, sort := range known.sorts {
				asks = append(asks, Ask{Collection: collection, Expand: expand, Sort: sort})
			}
			for _, ask := range asks {
				p, err := reader.page(ask)
				if err != nil || p == nil {
					t.Fatalf("%+v: %v, %v", ask, p, err)
				}
				for _, statement := range []string{p.first, p.next, p.actors} {
					if statement != "" {
						searched(t, app, collection, statement)
					}
				}
			}
		}
	}
}

func searched(t *testing.T, app core.App, collection, statement string) {
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
		// rows of the same moment are few, but the feed has them in its index
		scans := strings.HasPrefix(step.Detail, "SCAN ") && !strings.HasPrefix(step.Detail, "SCAN json_each")
		sorts := strings.Contains(step.Detail, "TEMP B-TREE") && (collection == "feed" || !strings.Contains(step.Detail, "LAST TERM"))
		if scans || sorts {
			t.Errorf("%s in %s", step.Detail, statement)
		}
	}
}
