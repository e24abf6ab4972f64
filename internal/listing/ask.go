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

// Ask is what one of the plain requests asks for.
type Ask struct {
	Collection string // feed, notifications or posts
	ID         string // of one record; empty for a page
	Author     string // whose posts
	Expand     string
	At, Last   string // the cursor: where the page before ended; At is empty for the first page
	PerPage    int
}

// Action is PocketBase's name for what is asked.
func (a Ask) Action() string {
	if a.ID != "" {
		return "view"
	}
	return "list"
}

// literal is a text in a filter that needs no unquoting.
const literal = `"([\w :.-]+)"`

var (
	prefix  = "/api/collections/"
	filters = map[string]*regexp.Regexp{
		"feed":          regexp.MustCompile(`^at <= ` + literal + ` && \(at < ` + literal + ` \|\| post < ` + literal + `\)$`),
		"notifications": regexp.MustCompile(`^latestAt <= ` + literal + ` && \(latestAt < ` + literal + ` \|\| id < ` + literal + `\)$`),
		"posts":         regexp.MustCompile(`^author ?= ?` + literal + `(?: && created < ` + literal + `)?$`),
	}
	sorts   = map[string]string{"feed": "-at,-post", "notifications": "-latestAt,-id", "posts": "-created"}
	expands = map[string][]string{
		"feed":          {"", "post", "post.author"},
		"notifications": {"", "actors", "post", "actors,post"},
		"posts":         {"", "author"},
	}
)

// Read returns what a GET of a URL asks for, and false unless it is one of the plain requests.
func Read(u *url.URL) (a Ask, ok bool) {
	path, ok := strings.CutPrefix(u.Path, prefix)
	if !ok {
		return a, false
	}
	a.Collection, path, _ = strings.Cut(path, "/")
	if sorts[a.Collection] == "" {
		return a, false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, false
	}
	for name, values := range query {
		if len(values) != 1 {
			return a, false
		}
		switch name {
		case "page", "perPage", "sort", "skipTotal", "expand", "filter":
		default:
			return a, false
		}
	}
	a.Expand = query.Get("expand")
	if !slices.Contains(expands[a.Collection], a.Expand) {
		return a, false
	}
	if id, one := strings.CutPrefix(path, "records/"); one {
		a.ID = id
		return a, a.Collection == "posts" && len(id) == 15 && len(query) == len(query["expand"])
	}
	a.PerPage, _ = strconv.Atoi(query.Get("perPage"))
	total, err := strconv.ParseBool(query.Get("skipTotal"))
	if path != "records" || query.Get("page") != "1" || err != nil || !total || a.PerPage < 1 || a.PerPage > 100 || query.Get("sort") != sorts[a.Collection] {
		return a, false
	}
	return a, a.filter(query.Get("filter"))
}

// filter reads a filter that is exactly a cursor or a profile's.
func (a *Ask) filter(text string) bool {
	if text == "" {
		return a.Collection != "posts"
	}
	found := filters[a.Collection].FindStringSubmatch(text)
	switch {
	case found == nil:
		return false
	case a.Collection == "posts":
		a.Author, a.At = found[1], found[2]
		return true
	}
	a.At, a.Last = found[1], found[3]
	return found[1] == found[2]
}
