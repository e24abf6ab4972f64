package moderation

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/fault"
	"doubletap/internal/rendition"
)

// Page is a part of the queue, and where the next one begins: empty at the end.
type Page struct {
	Items  []Item `json:"items"`
	Cursor string `json:"cursor"`
}

// Item is what is reported once or more often, by its first report, with all that a moderator needs to decide: also
// what is hidden, private or of a suspended account.
type Item struct {
	ID       string   `json:"id"` // of the first report
	Created  string   `json:"created"`
	State    string   `json:"state"`
	Reports  int      `json:"reports"` // of the same thing in this state
	Reason   string   `json:"reason"`
	Note     string   `json:"note"`
	Reporter *Person  `json:"reporter"` // null when the account is gone
	User     *Person  `json:"user"`     // whom suspend would concern
	Post     *Post    `json:"post"`     // also that of a reported comment
	Comment  *Comment `json:"comment"`
	History  []Entry  `json:"history"` // the latest decisions about these
}

// Person is somebody as moderators see them.
type Person struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Bio    string `json:"bio"`
	State  string `json:"state"`
	Role   string `json:"role"`
	Avatar string `json:"avatar"` // a signed address or empty
}

// Post is a post as moderators see it.
type Post struct {
	ID         string  `json:"id"`
	Author     *Person `json:"author"`
	Caption    string  `json:"caption"`
	Place      string  `json:"place"`
	Visibility string  `json:"visibility"`
	Hidden     bool    `json:"hidden"`
	Created    string  `json:"created"`
	Photos     []Shown `json:"photos"`
}

// Shown is a photo by its signed addresses.
type Shown struct {
	URL   string `json:"url"`   // up to 1080 pixels wide or high
	Thumb string `json:"thumb"` // 320 pixels, square
	Alt   string `json:"alt"`
}

// Comment is a comment as moderators see it.
type Comment struct {
	ID      string  `json:"id"`
	Author  *Person `json:"author"`
	Text    string  `json:"text"`
	Hidden  bool    `json:"hidden"`
	Created string  `json:"created"`
}

const (
	usual = 20
	most  = 100
)

// Queue returns what is reported in a state: open ones from the oldest on, as it waits longest, decided ones from the
// newest on. cursor is that of the page before, or empty. It writes nothing.
func Queue(app core.App, state, cursor string, limit int) (*Page, error) {
	if state == "" {
		state = Open
	}
	if state != Open && state != Upheld && state != Dismissed {
		return nil, fault.Invalid("state", "validation_in_invalid", "Must be open, upheld or dismissed.")
	}
	at, id, err := place(cursor)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = usual
	}
	limit = min(limit, most)
	order, after := "ASC", ">"
	if state != Open {
		order, after = "DESC", "<"
	}
	where := ""
	if cursor != "" {
		where = ` AND (r.created, r.id) ` + after + ` ({:at}, {:id})`
	}
	var ids []string
	err = db.Column(app, &ids, `SELECT r.id FROM reports r WHERE r.state = {:state}`+where+`
		AND NOT EXISTS (SELECT 1 FROM reports o WHERE o.state = r.state AND `+same+`
			AND (o.created, o.id) < (r.created, r.id))
		ORDER BY r.created `+order+`, r.id `+order+` LIMIT {:n}`, db.Params{"state": state, "at": at, "id": id, "n": limit + 1})
	if err != nil {
		return nil, fmt.Errorf("read the moderation queue: %w", err)
	}
	page := &Page{Items: []Item{}}
	for i, id := range ids {
		if i == limit {
			last := page.Items[limit-1]
			page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(last.Created + "|" + last.ID))
			break
		}
		item, err := read(app, id)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *item)
	}
	return page, nil
}

func place(cursor string) (at, id string, err error) {
	if cursor == "" {
		return "", "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, id, ok := strings.Cut(string(text), "|")
	if err != nil || !ok {
		return "", "", fault.Invalid("cursor", "validation_invalid_cursor", "Must be the cursor of a page.")
	}
	return at, id, nil
}

func read(app core.App, id string) (*Item, error) {
	report, err := app.FindRecordById("reports", id)
	if err != nil {
		return nil, fmt.Errorf("find report %s: %w", id, err)
	}
	on, err := subjectOf(app, report)
	if err != nil {
		return nil, err
	}
	item := &Item{
		ID: report.Id, Created: report.GetDateTime("created").String(), State: report.GetString("state"),
		Reason: report.GetString("reason"), Note: report.GetString("note"),
	}
	post := on.post
	if on.comment != nil && post == nil {
		if post, err = there(app, "posts", on.comment.GetString("post")); err != nil {
			return nil, err
		}
	}
	reporter, err := there(app, "users", report.GetString("reporter"))
	if err != nil {
		return nil, err
	}
	targets := []string{name(report)}
	for _, record := range []*core.Record{on.comment, post, on.person} {
		if record != nil {
			targets = append(targets, name(record))
		}
	}
	if item.History, err = history(app, targets); err != nil {
		return nil, err
	}
	if item.Reporter, err = personOf(app, reporter); err != nil {
		return nil, err
	}
	if item.User, err = personOf(app, on.person); err != nil {
		return nil, err
	}
	if item.Post, err = postOf(app, post); err != nil {
		return nil, err
	}
	if item.Comment, err = commentOf(app, on.comment); err != nil {
		return nil, err
	}
	_, err = db.Value(app, &item.Reports, `SELECT count(*) FROM reports r JOIN reports o ON o.id = r.id OR (o.state = r.state AND `+same+`) WHERE r.id = {:id}`,
		db.Params{"id": id})
	return item, err
}

func personOf(app core.App, user *core.Record) (p *Person, err error) {
	if user == nil {
		return nil, nil
	}
	p = &Person{
		ID: user.Id, Handle: user.GetString("handle"), Name: user.GetString("name"), Bio: user.GetString("bio"),
		State: user.GetString("state"), Role: user.GetString("role"),
	}
	if file := user.GetString("avatar"); file != "" {
		p.Avatar, err = Photo{"users", user.Id, file, thumb}.Sign(app)
	}
	return p, err
}

const (
	large = "1080x1080f"
	thumb = "320x320"
)

func postOf(app core.App, post *core.Record) (*Post, error) {
	if post == nil {
		return nil, nil
	}
	author, err := authorOf(app, post)
	if err != nil {
		return nil, err
	}
	p := &Post{
		ID: post.Id, Author: author, Caption: post.GetString("caption"), Place: post.GetString("place"), Visibility: post.GetString("visibility"),
		Hidden: post.GetBool("hidden"), Created: post.GetDateTime("created").String(), Photos: []Shown{},
	}
	var alts []string
	_ = post.UnmarshalJSONField("alts", &alts) // whatever else is there describes nothing
	for i, file := range post.GetStringSlice(rendition.Fields["posts"]) {
		shown := Shown{}
		if i < len(alts) {
			shown.Alt = alts[i]
		}
		if shown.URL, err = (Photo{"posts", post.Id, file, large}).Sign(app); err != nil {
			return nil, err
		}
		if shown.Thumb, err = (Photo{"posts", post.Id, file, thumb}).Sign(app); err != nil {
			return nil, err
		}
		p.Photos = append(p.Photos, shown)
	}
	return p, nil
}

func commentOf(app core.App, comment *core.Record) (*Comment, error) {
	if comment == nil {
		return nil, nil
	}
	author, err := authorOf(app, comment)
	if err != nil {
		return nil, err
	}
	return &Comment{comment.Id, author, comment.GetString("text"), comment.GetBool("hidden"), comment.GetDateTime("created").String()}, nil
}

func authorOf(app core.App, record *core.Record) (*Person, error) {
	author, err := there(app, "users", record.GetString("author"))
	if err != nil {
		return nil, err
	}
	return personOf(app, author)
}
