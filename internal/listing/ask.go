// Package listing answers the commonest reads, pages of the feed, of the tray and of a profile, with the bytes that
// PocketBase's general path would answer, from one or two statements and without building records. What it does
// not know it leaves to that path.
package listing

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Request is what one of the plain requests asks for.
type Request struct {
	Collection string // feed, notifications or posts
	ID         string // of one record; empty for a page
	Author     string // whose posts
	Sort       string
	Expand     string
	At, LastID string // the cursor: where the page before ended; At is empty for the first page
	PerPage    int
}

// Action is PocketBase's name for what is asked.
func (a Request) Action() string {
	if a.ID != "" {
		return "view"
	}
	return "list"
}

// supported is how pages of a collection are asked for.
type supported struct {
	sorts, expands []string // all that are known
	filter         *regexp.Regexp
}

var supportedRequests = map[string]supported{
	"feed":          {[]string{"-at,-post"}, []string{"", "post.author"}, regexp.MustCompile(`^(?:` + cursorPattern("at", "post") + `)?$`)},
	"notifications": {[]string{"-latestAt,-id"}, []string{"", "actors,post", "actors,post.author,comment"}, regexp.MustCompile(`^(?:` + cursorPattern("latestAt", "id") + `)?$`)},
	"posts": {[]string{"-created", "-created,-id"}, []string{"", "author"},
		regexp.MustCompile(`^(?:author = ` + literalPattern + `|\(author = ` + literalPattern + `\)(?: && ` + cursorPattern("created", "id") + `)?)$`)},
}

// literalPattern is a text in a filter that needs no unquoting.
const literalPattern = `"([\w :.-]+)"`

// cursorPattern is the filter of the rows that follow the last one of a page.
func cursorPattern(first, second string) string {
	return first + ` <= ` + literalPattern + ` && \(` + first + ` < ` + literalPattern + ` \|\| ` + second + ` < ` + literalPattern + `\)`
}

// ParseRequest returns what a GET of a URL asks for, and false unless it is one of the plain requests.
func ParseRequest(u *url.URL) (a Request, ok bool) {
	path, ok := strings.CutPrefix(u.Path, "/api/collections/")
	if !ok {
		return a, false
	}
	a.Collection, path, _ = strings.Cut(path, "/")
	known, ok := supportedRequests[a.Collection]
	if !ok {
		return a, false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, false
	}
	for name, values := range query {
		if len(values) != 1 || !slices.Contains([]string{"page", "perPage", "sort", "skipTotal", "expand", "filter"}, name) {
			return a, false
		}
	}
	a.Expand, a.Sort = query.Get("expand"), query.Get("sort")
	if !slices.Contains(known.expands, a.Expand) {
		return a, false
	}
	if id, one := strings.CutPrefix(path, "records/"); one {
		a.ID = id
		return a, a.Collection == "posts" && len(id) == 15 && len(query) == len(query["expand"])
	}
	a.PerPage, _ = strconv.Atoi(query.Get("perPage"))
	skip, err := strconv.ParseBool(query.Get("skipTotal"))
	if path != "records" || query.Get("page") != "1" || err != nil || !skip || a.PerPage < 1 || a.PerPage > 100 || !slices.Contains(known.sorts, a.Sort) {
		return a, false
	}
	found := known.filter.FindStringSubmatch(query.Get("filter"))
	if found == nil {
		return a, false
	}
	end := len(found) - 3 // of the cursor, which every filter ends with
	a.At, a.LastID = found[end], found[end+2]
	if a.Collection == "posts" {
		a.Author = found[1] + found[2] // one of them
	}
	return a, found[end+1] == a.At && (a.At == "" || a.Sort != "-created")
}
