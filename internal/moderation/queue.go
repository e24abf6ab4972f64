package moderation

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/rendition"
)

// QueuePage is a page of the queue. Cursor is where the next page begins, and empty on the last.
type QueuePage struct {
	Items  []QueueItem `json:"items"`
	Cursor string      `json:"cursor"`
}

// QueueItem is one thing that was reported once or more often, identified by its first report, with all that a
// moderator needs to decide. It shows also what is hidden, private or of a suspended account.
type QueueItem struct {
	ID       string       `json:"id"` // of the first report
	Created  string       `json:"created"`
	State    string       `json:"state"`
	Reports  int          `json:"reports"` // of the same thing in this state
	Reason   string       `json:"reason"`
	Note     string       `json:"note"`
	Reporter *PersonView  `json:"reporter"` // null when the account is deleted
	User     *PersonView  `json:"user"`     // the account that suspend would concern
	Post     *PostView    `json:"post"`     // also that of a reported comment
	Comment  *CommentView `json:"comment"`
	History  []AuditEntry `json:"history"` // the latest decisions about these things
}

// PersonView is a user as moderators see them.
type PersonView struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Bio    string `json:"bio"`
	State  string `json:"state"`
	Role   string `json:"role"`
	Avatar string `json:"avatar"` // a signed URL, or empty
}

// PostView is a post as moderators see it.
type PostView struct {
	ID         string      `json:"id"`
	Author     *PersonView `json:"author"`
	Caption    string      `json:"caption"`
	Place      string      `json:"place"`
	Visibility string      `json:"visibility"`
	Hidden     bool        `json:"hidden"`
	Created    string      `json:"created"`
	Photos     []PhotoView `json:"photos"`
}

// PhotoView is a photo, by signed URLs.
type PhotoView struct {
	URL   string `json:"url"`   // up to 1080 pixels wide or high
	Thumb string `json:"thumb"` // 320 pixels, square
	Alt   string `json:"alt"`
}

// CommentView is a comment as moderators see it.
type CommentView struct {
	ID      string      `json:"id"`
	Author  *PersonView `json:"author"`
	Text    string      `json:"text"`
	Hidden  bool        `json:"hidden"`
	Created string      `json:"created"`
}

const (
	defaultLimit = 20
	maxLimit     = 100
)

// ReadQueue returns a page of what is reported in a state; empty is open. Open things come with the oldest first, as
// they have waited longest, decided ones with the newest first. cursor is that of the page before, or empty. It writes
// nothing.
func ReadQueue(app core.App, state, cursor string, limit int) (*QueuePage, error) {
	if state == "" {
		state = Open
	}
	if state != Open && state != Upheld && state != Dismissed {
		return nil, fault.InvalidField("state", "validation_in_invalid", "Must be open, upheld or dismissed.")
	}
	at, id, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	order, after := "ASC", ">"
	if state != Open {
		order, after = "DESC", "<"
	}
	where := ""
	if cursor != "" {
		where = ` AND (r.created, r.id) ` + after + ` ({:at}, {:id})`
	}
	var ids []string
	err = db.QueryColumn(app, &ids, `SELECT r.id FROM reports r WHERE r.state = {:state}`+where+`
		AND NOT EXISTS (SELECT 1 FROM reports o WHERE o.state = r.state AND `+sameSubject+`
			AND (o.created, o.id) < (r.created, r.id))
		ORDER BY r.created `+order+`, r.id `+order+` LIMIT {:n}`, db.Params{"state": state, "at": at, "id": id, "n": limit + 1})
	if err != nil {
		return nil, fmt.Errorf("read the moderation queue: %w", err)
	}
	page := &QueuePage{Items: []QueueItem{}}
	for i, id := range ids {
		if i == limit {
			last := page.Items[limit-1]
			page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(last.Created + "|" + last.ID))
			break
		}
		item, err := readItem(app, id)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *item)
	}
	return page, nil
}

func parseCursor(cursor string) (at, id string, err error) {
	if cursor == "" {
		return "", "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, id, ok := strings.Cut(string(text), "|")
	if err != nil || !ok {
		return "", "", fault.InvalidField("cursor", "validation_invalid_cursor", "Must be the cursor of a page.")
	}
	return at, id, nil
}

func readItem(app core.App, id string) (*QueueItem, error) {
	report, err := app.FindRecordById("reports", id)
	if err != nil {
		return nil, fmt.Errorf("find report %s: %w", id, err)
	}
	on, err := subjectOf(app, report)
	if err != nil {
		return nil, err
	}
	item := &QueueItem{
		ID: report.Id, Created: report.GetDateTime("created").String(), State: report.GetString("state"),
		Reason: report.GetString("reason"), Note: report.GetString("note"),
	}
	post := on.post
	if on.comment != nil && post == nil {
		if post, err = findOrNil(app, "posts", on.comment.GetString("post")); err != nil {
			return nil, err
		}
	}
	reporter, err := findOrNil(app, "users", report.GetString("reporter"))
	if err != nil {
		return nil, err
	}
	targets := []string{recordName(report)}
	for _, record := range []*core.Record{on.comment, post, on.person} {
		if record != nil {
			targets = append(targets, recordName(record))
		}
	}
	if item.History, err = findHistory(app, targets); err != nil {
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
	_, err = db.QueryValue(app, &item.Reports, `SELECT count(*) FROM reports r JOIN reports o ON o.id = r.id OR (o.state = r.state AND `+sameSubject+`) WHERE r.id = {:id}`,
		db.Params{"id": id})
	return item, err
}

func personOf(app core.App, user *core.Record) (p *PersonView, err error) {
	if user == nil {
		return nil, nil
	}
	p = &PersonView{
		ID: user.Id, Handle: user.GetString("handle"), Name: user.GetString("name"), Bio: user.GetString("bio"),
		State: user.GetString("state"), Role: user.GetString("role"),
	}
	if file := user.GetString("avatar"); file != "" {
		p.Avatar, err = PhotoFile{"users", user.Id, file, thumbSize}.SignedURL(app)
	}
	return p, err
}

var (
	largeSize = photo.Large.ThumbName()
	thumbSize = photo.Tile.ThumbName()
)

func postOf(app core.App, post *core.Record) (*PostView, error) {
	if post == nil {
		return nil, nil
	}
	author, err := authorOf(app, post)
	if err != nil {
		return nil, err
	}
	p := &PostView{
		ID: post.Id, Author: author, Caption: post.GetString("caption"), Place: post.GetString("place"), Visibility: post.GetString("visibility"),
		Hidden: post.GetBool("hidden"), Created: post.GetDateTime("created").String(), Photos: []PhotoView{},
	}
	var alts []string
	_ = post.UnmarshalJSONField("alts", &alts) // anything but a list of texts describes no photo
	for i, file := range post.GetStringSlice(rendition.PhotoFields["posts"]) {
		shown := PhotoView{}
		if i < len(alts) {
			shown.Alt = alts[i]
		}
		if shown.URL, err = (PhotoFile{"posts", post.Id, file, largeSize}).SignedURL(app); err != nil {
			return nil, err
		}
		if shown.Thumb, err = (PhotoFile{"posts", post.Id, file, thumbSize}).SignedURL(app); err != nil {
			return nil, err
		}
		p.Photos = append(p.Photos, shown)
	}
	return p, nil
}

func commentOf(app core.App, comment *core.Record) (*CommentView, error) {
	if comment == nil {
		return nil, nil
	}
	author, err := authorOf(app, comment)
	if err != nil {
		return nil, err
	}
	return &CommentView{comment.Id, author, comment.GetString("text"), comment.GetBool("hidden"), comment.GetDateTime("created").String()}, nil
}

func authorOf(app core.App, record *core.Record) (*PersonView, error) {
	author, err := findOrNil(app, "users", record.GetString("author"))
	if err != nil {
		return nil, err
	}
	return personOf(app, author)
}
