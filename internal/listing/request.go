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

	"github.com/pocketbase/pocketbase/tools/search"
)

// Request is what the URL of a supported request asks for, however it is spelled.
type Request struct {
	Collection string // feed, notifications or posts
	ID         string // of the one record that is asked for; empty for a page
	Author     string // author of the posts; empty for other collections
	Sort       string
	Expand     string
	At, LastID string // the cursor, the last row of the page before; At is empty for the first page
	PerPage    int
	Total      bool   // it asks how many rows there are in all
	Fields     string // what it wants of the answer, which AppendPage does not look at
}

// Action returns PocketBase's name for the request: "view" of one record, "list" of a page.
func (r Request) Action() string {
	if r.ID != "" {
		return "view"
	}
	return "list"
}

// supported is the sorts and expands with which pages of a collection may be asked for, as canonicalSort and
// canonicalExpand write them, and the fields of its cursor.
type supported struct {
	sorts, expands []string
	first, second  string
}

var supportedRequests = map[string]supported{
	"feed":          {[]string{"-at,-post"}, []string{"", "post", "post.author"}, "at", "post"},
	"notifications": {[]string{"-latestAt,-id"}, []string{"", "actors,post", "actors,comment,post.author"}, "latestAt", "id"},
	"posts":         {[]string{"-created", "-created,-id"}, []string{"", "author"}, "created", "id"},
}

// maxPerPage is the largest page. Of a larger one PocketBase's general path takes less of what a reader has to wait for.
const maxPerPage = 500

// BudgetFreeRows is up to how many rows a page of any supported request is within the budget of a client.
const BudgetFreeRows = 100

var recordsPath = regexp.MustCompile(`^/api/collections/(feed|notifications|posts)/records(?:/([^/]+))?$`)

// ParseRequest returns what a GET of the URL asks for. It returns false when listing does not support that, and then the
// Collection if it is one of whose other pages listing answers.
func ParseRequest(u *url.URL) (r Request, ok bool) {
	path := recordsPath.FindStringSubmatch(u.Path)
	if path == nil {
		return r, false
	}
	r.Collection, r.ID = path[1], path[2]
	known := supportedRequests[r.Collection]
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return r, false
	}
	for _, name := range []string{"page", "perPage", "sort", "skipTotal", "expand", "filter", "fields"} {
		if len(query[name]) > 1 {
			return r, false
		}
	}
	r.Expand, r.Fields = canonicalExpand(query.Get("expand")), query.Get("fields")
	if !slices.Contains(known.expands, r.Expand) {
		return r, false
	}
	if r.ID != "" {
		return r, r.Collection == "posts" && len(r.ID) == 15
	}
	page, pageOK := parseNumber(query.Get("page"), 1)
	skip, skipOK := false, true
	if text := query.Get("skipTotal"); text != "" {
		skip, err = strconv.ParseBool(text)
		skipOK = err == nil
	}
	var perPageOK bool
	r.PerPage, perPageOK = parseNumber(query.Get("perPage"), search.DefaultPerPage)
	r.Sort, r.Total = canonicalSort(query.Get("sort")), !skip
	if !pageOK || page != 1 || !skipOK || !perPageOK || r.PerPage > maxPerPage || !slices.Contains(known.sorts, r.Sort) {
		return r, false
	}
	return r, r.parseFilter(query.Get("filter"), known.first, known.second) && (r.At == "" || r.Sort != "-created")
}

// parseNumber returns a number as PocketBase reads it, which takes what is not positive for the usual.
func parseNumber(text string, usual int) (n int, ok bool) {
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	if n <= 0 {
		n = usual
	}
	return n, err == nil
}

func canonicalSort(text string) string {
	fields := strings.Split(text, ",")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return strings.Join(fields, ",")
}

// canonicalExpand returns the paths in order, without spaces and without what another path includes.
func canonicalExpand(text string) string {
	paths := strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	if len(paths) > 10 { // which has a limit
		return text
	}
	for i := range paths {
		paths[i] = strings.Trim(paths[i], ".")
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return strings.Join(slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return path == "" || slices.ContainsFunc(paths, func(other string) bool { return strings.HasPrefix(other, path+".") })
	}), ",")
}
