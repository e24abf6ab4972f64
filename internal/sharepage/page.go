// Package sharepage makes the pages that people without the app see, and what a link to them looks like elsewhere. It shows
// only what a guest may see by the collections' own rules.
package sharepage

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/visibility"
	"github.com/doubletap/doubletap/internal/words"
)

// The kinds of pages.
const (
	KindPost = "post"
	KindUser = "user"
	KindTag  = "tag"
)

// Page is what a page shows, before it is rendered.
type Page struct {
	Kind        string
	Record      *core.Record // what it shows: a post, a user or a hashtag
	Title       string
	Description string
	Head        template.HTML // further elements of the head, trusted

	Site   string // the app's name
	URL    string // of this page
	InApp  string // the same in the web app
	Listed bool   // search engines may list it
	Icon   string // the app's, for links to a page that has no image
	Feed   bool   // the page has a feed for readers
	Image  string // the image that a link to the page shows, or empty
	Thing  *Thing // for search engines

	Author   *Person
	Photos   []Photo
	Words    []words.Segment // the caption
	Bio      []bioPart
	Place    string
	Time     string // as machines read it
	Date     string // as people read it
	Likes    string
	Comments string
	Counts   []string
	Private  bool
	Posts    []Tile
	Style    string
}

// Person is a user as a page shows them.
type Person struct {
	Name   string
	Handle string
	Path   string // of their page, or empty
	Avatar string // or empty
	Letter string // shown if there is no avatar
}

//go:embed templates page.css page.js
var files embed.FS

var pageTemplates = template.Must(template.ParseFS(files, "templates/*.html"))

// CSS is the style of all pages. StylePath is where pages load it from; it changes with the style.
var (
	CSS       = readEmbedded("page.css")
	StylePath = "/page.css?v=" + ContentTag(CSS)

	// JS opens the missing page's own address in the web app; the page itself is the same for all addresses.
	JS = readEmbedded("page.js")
)

func readEmbedded(name string) []byte {
	all, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return all
}

// ContentTag returns a short text that differs for different content.
func ContentTag(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:12])
}

// RenderHTML returns the page as HTML.
func (p *Page) RenderHTML() ([]byte, error) {
	p.Style = StylePath
	p.describeThing()
	var html bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&html, "layout.html", p); err != nil {
		return nil, fmt.Errorf("render page of %s: %w", p.Kind, err)
	}
	return html.Bytes(), nil
}

// MissingPage returns the page for what does not exist or a guest may not see.
func MissingPage(app core.App) ([]byte, error) { return ErrorPage(app, http.StatusNotFound) }

// errorWords are what pages of errors say, by status. There is one for 404, 400 and 500; others are as these.
var errorWords = map[int]struct{ title, text string }{
	http.StatusNotFound:           {"Nothing to see here", "It may have been taken down, or it is for others. The app shows what is shared with you."},
	http.StatusBadRequest:         {"This link does not work", "It may be cut off or too old. Copy all of it, or look in the app for what you were about to do."},
	http.StatusServiceUnavailable: {"Not right now", "The service cannot show this at the moment. Please try again in a minute."},
	http.StatusTooManyRequests:    {"One moment, please", "That was a lot at once. Please try again in a minute."},
}

// ErrorPage returns the page for people that stands for an answer of that status.
func ErrorPage(app core.App, status int) ([]byte, error) {
	said, known := errorWords[status]
	switch {
	case known:
	case status < http.StatusInternalServerError:
		said = errorWords[http.StatusBadRequest]
	default:
		said = errorWords[http.StatusServiceUnavailable]
	}
	p := &Page{Kind: "error", Title: said.title, Description: said.text, Site: siteName(app), InApp: "/"}
	return p.RenderHTML()
}

func newPage(app core.App, kind string, record *core.Record, path, inApp string) *Page {
	return &Page{Kind: kind, Record: record, Site: siteName(app), URL: BaseURL(app) + path, Icon: BaseURL(app) + "/icon-512.png", InApp: "/#" + inApp, Listed: true}
}

func siteName(app core.App) string { return words.ShortLine(app.Settings().Meta.AppName, 60) }

// BaseURL returns the address of the service, without a slash at its end.
func BaseURL(app core.App) string { return strings.TrimRight(app.Settings().Meta.AppURL, "/") }

// guestInfo is the request for whom rules are evaluated: a guest's.
var guestInfo = &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "GET"}

// findVisible returns a record that meets the condition and that a guest may see, or nil.
func findVisible(app core.App, name, condition string, params dbx.Params) (*core.Record, error) {
	collection, err := app.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil, fmt.Errorf("find collection %s: %w", name, err)
	}
	q := app.RecordQuery(collection).AndWhere(dbx.NewExp(condition, params)).Limit(1)
	if err := visibility.Restrict(app, q, collection, collection.ViewRule, guestInfo); err != nil {
		return nil, err
	}
	record := &core.Record{}
	switch found, err := db.Found(q.One(record)); {
	case err != nil:
		return nil, fmt.Errorf("find %s: %w", name, err)
	case !found:
		return nil, nil
	}
	return record, nil
}

func newPerson(user *core.Record) *Person {
	handle := user.GetString("handle")
	p := &Person{Handle: handle, Name: cmp.Or(words.ShortLine(user.GetString("name"), 80), handle)}
	p.Letter = strings.ToUpper(string([]rune(cmp.Or(p.Name, "?"))[:1]))
	if handle != "" {
		p.Path = "/@" + handle
	}
	if file := user.GetString("avatar"); file != "" {
		p.Avatar = "/api/files/users/" + user.Id + "/" + file + "?thumb=" + photo.Avatar.ThumbName()
	}
	return p
}

// countWithWord returns a number with its noun: 1 like, 1,234 likes.
func countWithWord(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + word
}
