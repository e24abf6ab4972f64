package listing

import (
	"errors"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// manyFollowees is how many people somebody follows when the newest posts of all are looked through first: there are
// likely enough of theirs among them, and one step for each followee would be more.
const manyFollowees = 1000

// feedColumns are the columns of a feed row; see the view feed in the migrations, which PocketBase reads.
var feedColumns = map[string]string{
	"id": "{:me} || _p.id", "viewer": "{:me}", "post": "_p.id", "author": "_p.author",
	"at": "_p.created", "created": "_p.created", "updated": "_p.created",
}

// notEndedSQL is true for a mute that has not ended. It asks SQLite for the time, as the view does.
var notEndedSQL = visibility.MuteLastsSQL("until", visibility.TimeSQL)

// mutesSQL is true when the viewer mutes what the condition names. Most people mute nobody, which is asked once a page.
func mutesSQL(condition string) string {
	return "(" + visibility.ExistsSQL("mutes WHERE muter = {:me}") + " AND " + visibility.ExistsSQL("mutes WHERE muter = {:me} AND "+condition+" AND "+notEndedSQL) + ")"
}

// feedConditions are what a post _p of the author _u must meet to be in the viewer's feed, besides the rule and being of
// somebody whom they follow.
func feedConditions() []string {
	return []string{
		"NOT (" + visibility.ExistsSQL("hidden_posts WHERE viewer = {:me}") + " AND " + visibility.ExistsSQL("hidden_posts WHERE viewer = {:me} AND post = _p.id") + ")",
		"NOT " + mutesSQL("muted = _p.author AND _p.author != {:me}"),
		"NOT " + mutesSQL("post = _p.id"),
	}
}

const (
	followedSQL = "follows INDEXED BY idx_follows_out WHERE follower = {:me} AND state = 'accepted'"
	feedCursor  = "created <= {:at} AND (created < {:at} OR id < {:last})"
)

// followeesSQL selects whom the viewer follows as one text, without those who are muted: their posts would be looked
// through in vain, however many there are. It selects {:followees} at most, all if that is negative.
var followeesSQL = "SELECT coalesce(group_concat(followee, ' '), '') FROM (SELECT followee FROM " + followedSQL + " AND NOT " + mutesSQL("muted = followee") + " LIMIT {:followees}) _f"

// feedPlan is how a page of the feed is read. Each of its statements has candidates in the order of the page, and reads
// rows from them until the page is full.
type feedPlan struct {
	followees      string    // statement: selects whom the viewer follows as one text
	listed         string    // candidates are those of {:list}; a row is empty where the list is no longer true
	newest, merged [2]string // of the first page, and of a page behind a cursor: the newest posts of all; those of the authors {:authors}
	row            *template
}

func (m *planMaker) makeFeedPlan(expands string) *pagePlan {
	row := m.recordFieldsBy(m.feed, func(name string) string { return feedColumns[name] })
	author := expands == "post.author"
	if expands != "" {
		row = append(row, expandField("post", m.postTemplate(m.posts.ViewRule, author), m.feedPostShownSQL()))
	}
	t := objectTemplate(row)
	p := &feedPlan{row: t, followees: followeesSQL}
	plan := &pagePlan{row: t, feed: p}
	conditions := append([]string{visibility.ExistsSQL("users WHERE id = {:me} AND tokenKey = {:key}"), m.feedShownSQL()}, feedConditions()...)
	rows := func(text, candidates, where string) string {
		return "SELECT " + text + " FROM " + candidates + " CROSS JOIN users _u ON _u.id = _p.author" +
			viewerJoins(expands != "", author) + " WHERE " + where + " LIMIT {:n}"
	}
	text, where := t.rowTextSQL(), strings.Join(conditions, " AND ")
	p.listed = rows("CASE WHEN "+isListedSQL+" THEN "+text+" ELSE '' END", listedSQL, "(NOT "+isListedSQL+" OR "+where+")")
	for i, cursor := range []string{"", feedCursor} {
		p.newest[i], p.merged[i] = rows(text, newestSQL(cursor), where), rows(text, mergedSQL(cursor), where)
		plan.totalSQL[i] = "SELECT count(*) FROM " + allSQL(cursor) + " CROSS JOIN users _u ON _u.id = _p.author WHERE " + strings.Join(conditions, " AND ")
	}
	return plan
}

// feedShownSQL is the condition under which a row of the feed is shown.
func (m *planMaker) feedShownSQL() string {
	m.requireOwn(m.feed.ListRule, "viewer")
	plan, reason := visibility.PlanOf(m.app, m.feed, m.feed.ListRule, m.users)
	if plan == nil {
		m.refuse(reason)
		return ""
	}
	condition, complete := plan.SQLOfUnstored(func(name string) (string, bool) { return feedColumns[name], feedColumns[name] != "" }, "{:me}")
	if !complete {
		m.refuse(visibility.ReadsRow)
	}
	return visibility.WithJoinedPost(condition, "_p.id", "{:me}")
}

// seesRowPost is what the rule of the feed says of a row's post.
const seesRowPost = `seesPost(@request.auth.id, post) = true`

// feedPostShownSQL is the condition under which the post _p of a row of the feed is expanded.
func (m *planMaker) feedPostShownSQL() string {
	if isRule(m.posts.ViewRule, visibility.ShippedPostRule) && visibility.Requires(m.feed.ListRule, seesRowPost) {
		return "1" // the row is shown only where the post is
	}
	return "_p.id IS NOT NULL AND " + m.postShownSQL(m.posts.ViewRule)
}

// The candidates of a page, as posts _p.

// listedSQL reads the rows of the posts of {:list}. Whether they still are those posts, isListedSQL says.
const listedSQL = "json_each({:list}) _listed CROSS JOIN posts _p ON _p.rowid = CAST(_listed.value AS INTEGER)"

// newestSQL reads the newest posts of all that are of the viewer or of somebody whom the viewer follows.
func newestSQL(cursor string) string {
	if cursor != "" {
		cursor = " AND " + cursor
	}
	return "(SELECT rowid AS n, author FROM posts INDEXED BY idx_posts_created WHERE 1" + cursor + " ORDER BY created DESC, id DESC LIMIT {:candidates}) _c" +
		" CROSS JOIN posts _p ON _p.rowid = _c.n AND (_c.author = {:me} OR " + visibility.ExistsSQL(followedSQL+" AND followee = _c.author") + ")"
}

// allSQL reads the posts of all whom the viewer follows, and the viewer's own, in any order.
func allSQL(cursor string) string {
	if cursor != "" {
		cursor = " AND " + strings.NewReplacer("created", "_p.created", "id", "_p.id").Replace(cursor)
	}
	return "(SELECT {:me} AS author UNION ALL SELECT followee FROM " + followedSQL + " AND followee != {:me}) _a CROSS JOIN posts _p INDEXED BY idx_posts_author ON _p.author = _a.author" + cursor
}

// mergedSQL reads the posts of the authors by merging theirs, which the index has in order: the newest of each author is
// put into a queue; whenever the newest of the queue is taken, the next one of the same author is put in. So a page takes as
// many steps as there are authors and rows, however old the posts are and however many an author has.
func mergedSQL(cursor string) string {
	newestOf := func(author, condition string) string {
		if condition != "" {
			condition = " AND " + condition
		}
		return "CROSS JOIN posts _q ON _q.rowid = (SELECT rowid FROM posts INDEXED BY idx_posts_author WHERE author = " + author + condition + " ORDER BY created DESC, id DESC LIMIT 1)"
	}
	const columns = "_q.author, _q.created, _q.id, _q.rowid"
	return "(WITH RECURSIVE _m(author, at, id, n) AS (" +
		"SELECT " + columns + " FROM json_each({:authors}) _a " + newestOf("_a.value", cursor) +
		" UNION ALL SELECT " + columns + " FROM _m " + newestOf("_m.author", "(created, id) < (_m.at, _m.id)") +
		" ORDER BY 2 DESC, 3 DESC) SELECT n FROM _m) _c CROSS JOIN posts _p ON _p.rowid = _c.n"
}

// appendFeed appends itemsHead and the rows of a page of the feed.
func (r *Reader) appendFeed(out []byte, p *pagePlan, person *core.Record, request Request, params db.Params) (_ []byte, err error) {
	start, behind := len(out), 0
	if request.At != "" {
		behind = 1
	}
	attempt := func(statement string) (filled bool) {
		var found int
		out, found, err = r.appendRows(out[:start], p, statement, params)
		return err != nil || found == request.PerPage
	}
	authors, err := r.feedAuthors(p.feed, person.Id, params, r.manyFollowees)
	if err != nil {
		return out, err
	}
	if len(authors) > r.manyFollowees {
		if params["candidates"] = max(50*request.PerPage, 1000); attempt(p.feed.newest[behind]) {
			return out, err
		}
		if authors, err = r.feedAuthors(p.feed, person.Id, params, -1); err != nil {
			return out, err
		}
	}
	list, more, err := r.recent.choose(r.app, authors, request.At, request.LastID, request.PerPage+request.PerPage/2) // some may not be shown
	if err != nil {
		return out, err
	}
	if len(list) >= request.PerPage || !more {
		params["list"] = listPosts(list)
		filled := attempt(p.feed.listed)
		switch {
		case errors.Is(err, errEmptyRow):
			r.recent.forget()
		case filled || !more:
			return out, err
		}
	}
	params["authors"] = db.JSONList(authors)
	attempt(p.feed.merged[behind])
	return out, err
}

// feedAuthors returns the person and those whom the person follows, at most so many of them; all if that is negative.
func (r *Reader) feedAuthors(p *feedPlan, person string, params db.Params, most int) ([]string, error) {
	var followees string
	params["followees"] = most
	if _, err := db.QueryRow(r.app, p.followees, params, &followees); err != nil {
		return nil, err
	}
	authors := []string{person}
	for followee := range strings.FieldsSeq(followees) {
		if followee != person {
			authors = append(authors, followee)
		}
	}
	return authors, nil
}
