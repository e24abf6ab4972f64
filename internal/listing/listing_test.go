package listing

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/migrations"
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
		want Request // without a collection: not supported
	}{
		{feed, Request{Collection: "feed", Sort: "-at,-post", PerPage: 20}},
		{feed + "&filter=&expand=post.author", Request{Collection: "feed", Sort: "-at,-post", PerPage: 20, Expand: "post.author"}},
		{feed + "&expand=.post.author.%2C%20post&_=7", Request{Collection: "feed", Sort: "-at,-post", PerPage: 20, Expand: "post.author"}},
		{"feed/records?sort=-at%2C+-post", Request{Collection: "feed", Sort: "-at,-post", PerPage: 30, Total: true}},
		{"feed/records?page=-1&perPage=0&skipTotal=F&sort=-at,-post&fields=id", Request{Collection: "feed", Sort: "-at,-post", PerPage: 30, Total: true, Fields: "id"}},
		{strings.Replace(feed, "perPage=20", "perPage=500", 1), Request{Collection: "feed", Sort: "-at,-post", PerPage: 500}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`")`), Request{Collection: "feed", Sort: "-at,-post", PerPage: 20, At: at, LastID: last}},
		{feed + filter(`((post<'`+last+`'||at<'`+at+`')&&(at<='`+at+`'))`), Request{Collection: "feed", Sort: "-at,-post", PerPage: 20, At: at, LastID: last}},
		{tray + "&expand=actors,post.author,comment", Request{Collection: "notifications", Sort: "-latestAt,-id", PerPage: 30, Expand: "actors,comment,post.author"}},
		{tray + filter(`latestAt <= "`+at+`" && (latestAt < "`+at+`" || id < "`+last+`")`), Request{Collection: "notifications", Sort: "-latestAt,-id", PerPage: 30, At: at, LastID: last}},
		{posts + filter(`author = "`+last+`"`), Request{Collection: "posts", Sort: "-created", PerPage: 100, Author: last}},
		{profile + filter(`(author = "`+last+`")`), Request{Collection: "posts", Sort: "-created,-id", PerPage: 30, Author: last, Expand: "author"}},
		{profile + filter(`(author = "`+last+`") && `+behind), Request{Collection: "posts", Sort: "-created,-id", PerPage: 30, Author: last, Expand: "author", At: at, LastID: last}},
		{profile + filter(behind+` && author='`+last+`'`), Request{Collection: "posts", Sort: "-created,-id", PerPage: 30, Author: last, Expand: "author", At: at, LastID: last}},
		{"posts/records/" + last, Request{Collection: "posts", ID: last}},
		{"posts/records/" + last + "?expand=author&page=2", Request{Collection: "posts", ID: last, Expand: "author"}},
		{"posts/records/" + last + "?fields=id", Request{Collection: "posts", ID: last, Fields: "id"}},

		{posts, Request{}},
		{posts + filter(`(author = "`+last+`") && `+behind), Request{}},
		{posts + filter(`author = "`+last+`" || id != ""`), Request{}},
		{posts + filter(`author = "`+last+`" && author = "`+last+`"`), Request{}},
		{posts + filter(`author != "`+last+`"`), Request{}},
		{posts + filter(`author = author`), Request{}},
		{posts + filter(`author ?= "`+last+`"`), Request{}},
		{profile + filter(`(author = "`+last+`"`), Request{}},
		{profile + filter(`(author = "`+last+`") || `+behind), Request{}},
		{profile + filter(behind), Request{}},
		{"posts/records/" + last + "/", Request{}},
		{"feed/records/" + last, Request{}},
		{"users/records?page=1&perPage=20&skipTotal=1", Request{}},
		{feed + "&perPage=10", Request{}},
		{feed + "&expand=author", Request{}},
		{feed + "&expand=" + strings.Repeat("post,", 11), Request{}},
		{strings.Replace(feed, "perPage=20", "perPage=501", 1), Request{}},
		{strings.Replace(feed, "perPage=20", "perPage=x", 1), Request{}},
		{strings.Replace(feed, "page=1", "page=2", 1), Request{}},
		{strings.Replace(feed, "page=1", "page=1.0", 1), Request{}},
		{strings.Replace(feed, "skipTotal=1", "skipTotal=2", 1), Request{}},
		{strings.Replace(feed, "-at,-post", "-at", 1), Request{}},
		{strings.Replace(feed, "-at,-post", "-post,-at", 1), Request{}},
		{feed + filter(`at <= "`+at+`"`), Request{}},
		{feed + filter(` `), Request{}},
		{feed + filter(`()`), Request{}},
		{feed + filter(`// nothing`), Request{}},
		{feed + filter(`(at < "`+at+`" || post < "`+last+`")`), Request{}},
		{feed + filter(`at <= "`+at+`" || (at < "`+at+`" && post < "`+last+`")`), Request{}},
		{feed + filter(`at <= "`+at+`" && at < "`+at+`" || post < "`+last+`"`), Request{}},
		{feed + filter(`at <= "`+at+`" && (at < "2024" || post < "`+last+`")`), Request{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "x\"x")`), Request{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`") || id != ""`), Request{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`") && id != ""`), Request{}},
		{feed + filter(`at <= "`+at+`" && (at < "`+at+`" || post < "`+last+`" || id != "")`), Request{}},
		{feed + filter(`at <= "`+at+`"`+strings.Repeat(" ", 500)+` && (at < "`+at+`" || post < "`+last+`")`), Request{}},
	} {
		u, err := url.Parse("/api/collections/" + test.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := ParseRequest(u)
		if ok != (test.want.Collection != "") || ok && got != test.want {
			t.Errorf("%s: %+v, %v", test.path, got, ok)
		}
	}
}

// TestPagesAreSearched fails when a statement does not use indexes, so that a page costs the same however much is
// stored.
func TestPagesAreSearched(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
	reader := NewReader(app)
	for collection, known := range supportedRequests {
		for _, expand := range known.expands {
			requests := []Request{{Collection: collection, Expand: expand, ID: "abcdefghijklmno"}}
			if collection != "posts" {
				requests = nil
			}
			for _, sort := range known.sorts {
				requests = append(requests, Request{Collection: collection, Expand: expand, Sort: sort})
			}
			for _, request := range requests {
				p, err := reader.findPlan(request)
				if err != nil || p == nil {
					t.Fatalf("%+v: %v, %v", request, p, err)
				}
				statements := append(slices.Concat(p.pageSQL[:], p.totalSQL[:]), p.actorsSQL)
				if p.feed != nil {
					statements = append(slices.Concat(p.feed.merged[:], p.feed.newest[:], p.totalSQL[:]), p.feed.followees, p.feed.listed)
				}
				for _, statement := range statements {
					if statement != "" {
						requireIndexed(t, app, statement)
					}
				}
			}
		}
	}
}

func requireIndexed(t *testing.T, app core.App, statement string) {
	t.Helper()
	params := db.Params{}
	for _, name := range []string{"me", "key", "now", "at", "last", "author", "id", "ids", "list", "authors"} {
		params[name] = "x"
	}
	params["n"], params["candidates"], params["followees"] = 20, 60, 1000
	var steps []struct{ Detail string }
	if err := app.DB().NewQuery("EXPLAIN QUERY PLAN " + statement).Bind(params).All(&steps); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, step := range steps {
		// there are few rows of the same moment
		scans := strings.HasPrefix(step.Detail, "SCAN ") && !strings.HasSuffix(step.Detail, " VIRTUAL TABLE INDEX 1:") && !slices.Contains([]string{"SCAN _a", "SCAN _c", "SCAN _f", "SCAN _m", "SCAN CONSTANT ROW"}, step.Detail) &&
			!strings.Contains(step.Detail, "USING COVERING INDEX idx_posts_created")
		sorts := strings.Contains(step.Detail, "TEMP B-TREE") && !strings.Contains(step.Detail, "LAST TERM")
		if scans || sorts {
			t.Errorf("%s in %s", step.Detail, statement)
		}
	}
}
