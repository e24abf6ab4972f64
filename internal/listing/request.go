// Package listing answers the commonest reads (pages of the feed, of the tray and of a profile, and single posts) with
// the bytes that PocketBase's general path would answer, from one or two statements and without building records.
// Requests that it does not support it leaves to that path.
package listing

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Request is what the URL of a supported request asks for.
type Request struct {
	Collection string // feed, notifications or posts
	ID         string // of the one record that is asked for; empty for a page
	Author     string // author of the posts; empty for other collections
	Sort       string
	Expand     string
	At, LastID string // the cursor, the last row of the page before; At is empty for the first page
	PerPage    int
}

// Action returns PocketBase's name for the request: "view" of one record, "list" of a page.
func (r Request) Action() string {
	if r.ID != "" {
		return "view"
	}
	return "list"
}

// supported is the sorts, expands and filters with which pages of a collection may be asked for.
type supported struct {
	sorts, expands []string
	filter         *regexp.Regexp
}

var supportedRequests = map[string]supported{
	"feed":          {[]string{"-at,-post"}, []string{"", "post.author"}, regexp.MustCompile(`^(?:` + cursorPattern("at", "post") + `)?$`)},
	"notifications": {[]string{"-latestAt,-id"}, []string{"", "actors,post", "actors,post.author,comment"}, regexp.MustCompile(`^(?:` + cursorPattern("latestAt", "id") + `)?$`)},
	"posts": {[]string{"-created", "-created,-id"}, []string{"", "author"},
		regexp.MustCompile(`^(?:author = ` + literalPattern + `|\(author = ` + literalPattern + `\)(?: && ` + cursorPattern("created", "id") + `)?)$`)},
}

// literalPattern matches a text in a filter that needs no unquoting.
const literalPattern = `"([\w :.-]+)"`

// cursorPattern matches the filter of the rows that follow the last one of a page.
func cursorPattern(first, second string) string {
	return first + ` <= ` + literalPattern + ` && \(` + first + ` < ` + literalPattern + ` \|\| ` + second + ` < ` + literalPattern + `\)`
}

// ParseRequest returns what a GET of the URL asks for. It returns false when listing does not support that.
func ParseRequest(u *url.URL) (r Request, ok bool) {
	path, ok := strings.CutPrefix(u.Path, "/api/collections/")
	if !ok {
		return r, false
	}
	r.Collection, path, _ = strings.Cut(path, "/")
	known, ok := supportedRequests[r.Collection]
	if !ok {
		return r, false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return r, false
	}
	for name, values := range query {
		if len(values) != 1 || !slices.Contains([]string{"page", "perPage", "sort", "skipTotal", "expand", "filter"}, name) {
			return r, false
		}
	}
	r.Expand, r.Sort = query.Get("expand"), query.Get("sort")
	if !slices.Contains(known.expands, r.Expand) {
		return r, false
	}
	if id, one := strings.CutPrefix(path, "records/"); one {
		r.ID = id
		return r, r.Collection == "posts" && len(id) == 15 && len(query) == len(query["expand"])
	}
	r.PerPage, _ = strconv.Atoi(query.Get("perPage"))
	skip, err := strconv.ParseBool(query.Get("skipTotal"))
	if path != "records" || query.Get("page") != "1" || err != nil || !skip || r.PerPage < 1 || r.PerPage > 100 || !slices.Contains(known.sorts, r.Sort) {
		return r, false
	}
	found := known.filter.FindStringSubmatch(query.Get("filter"))
	if found == nil {
		return r, false
	}
	end := len(found) - 3 // start of the cursor, with which every filter ends
	r.At, r.LastID = found[end], found[end+2]
	if r.Collection == "posts" {
		r.Author = found[1] + found[2] // one of them is empty
	}
	return r, found[end+1] == r.At && (r.At == "" || r.Sort != "-created")
}
