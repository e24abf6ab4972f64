package listing

import (
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
const notEndedSQL = `(until = '' OR until > strftime('%Y-%m-%d %H:%M:%fZ', 'now'))`

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
	followedSQL = "followee FROM follows INDEXED BY idx_follows_out WHERE follower = {:me} AND state = 'accepted'"

	// sinceSQL is the time at which the window begins: {:window} before the cursor or, without one, before the newest post.
	sinceSQL = "(SELECT iif({:window} = '', '', coalesce(strftime('%Y-%m-%d %H:%M:%fZ', iif({:at} = '', min({:now}, (SELECT created FROM posts ORDER BY created DESC LIMIT 1)), {:at}), {:window}), '')))"

	feedCursor = "_q.created <= {:at} AND (_q.created < {:at} OR _q.id < {:last})"
	feedOrder  = " ORDER BY _q.created DESC, _q.id DESC LIMIT {:candidates}"
)

// authorsSQL selects whose posts may be in the viewer's feed. Who is muted is left out here too: their posts would be
// looked through in vain, however many there are.
var authorsSQL = "SELECT {:me} AS author UNION ALL SELECT " + followedSQL + " AND followee != {:me} AND NOT " + mutesSQL("muted = followee")

// feedPlan is how a page of the feed is read. Its statements choose candidates, which are in the order of the page, and
// read rows from them until the page is full.
type feedPlan struct {
	ofAuthors, newest [2]string // of the first page, and of a page behind a cursor
	row               *template
}

func (m *planMaker) makeFeedPlan(expands string) *pagePlan {
	row := m.recordFieldsBy(m.feed, func(name string) string { return feedColumns[name] })
	if expands != "" {
		row = append(row, expandField("post", m.postTemplate(m.posts.ViewRule, true), m.feedPostShownSQL()))
	}
	t := objectTemplate(row)
	p := &feedPlan{row: t}
	conditions := append([]string{m.feedShownSQL()}, feedConditions()...)
	for i, cursor := range []string{"", feedCursor} {
		p.ofAuthors[i], p.newest[i] = feedStatements(t.rowTextSQL(), viewerJoins(expands != "", expands != ""), conditions, cursor)
	}
	return &pagePlan{row: t, feed: p}
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

// feedStatements returns the two statements that read a page of the feed: from the posts of each author since the
// window's beginning, and from the newest posts of all.
func feedStatements(columns, joins string, conditions []string, cursor string) (ofAuthors, newest string) {
	and, where := "", ""
	if cursor != "" {
		and, where = " AND "+cursor, " WHERE "+cursor
	}
	read := func(candidates string, further ...string) string {
		statement := "SELECT " + columns + " FROM (" + candidates + ") _c CROSS JOIN posts _p ON _p.rowid = _c.n CROSS JOIN users _u ON _u.id = _p.author" + joins +
			" WHERE " + visibility.ExistsSQL("users WHERE id = {:me} AND tokenKey = {:key}")
		for _, condition := range append(further, conditions...) {
			statement += " AND " + condition
		}
		return statement + " LIMIT {:n}"
	}
	ofAuthors = read("SELECT _q.rowid AS n FROM (" + authorsSQL + ") _a CROSS JOIN posts _q INDEXED BY idx_posts_author ON _q.author = _a.author AND _q.created > " + sinceSQL + and + feedOrder)
	newest = read("SELECT _q.rowid AS n FROM posts _q INDEXED BY idx_posts_created"+where+feedOrder,
		"(_p.author = {:me} OR "+visibility.ExistsSQL(`follows INDEXED BY idx_follows_out WHERE follower = {:me} AND followee = _p.author AND state = 'accepted'`)+")")
	return ofAuthors, newest
}

// feedAttempt is one try to fill a page: from candidates of a window, all of them when most is -1.
type feedAttempt struct {
	newest bool
	window string
	most   func(n int) int
}

// feedAttempts are tried in turn until a page is full. The last one looks at everything.
var feedAttempts = []feedAttempt{
	{newest: true, most: func(n int) int { return max(50*n, 1000) }}, // only for who follows many
	{window: "-2 days", most: func(n int) int { return 3 * n }},
	{window: "-60 days", most: func(n int) int { return 30 * n }},
	{window: "-400 days", most: func(n int) int { return 300 * n }},
	{window: "", most: func(int) int { return -1 }},
}

// appendFeed appends itemsHead and the rows of a page of the feed.
func (r *Reader) appendFeed(out []byte, p *pagePlan, person *core.Record, request Request, params db.Params) ([]byte, error) {
	at := 0
	if request.At != "" {
		at = 1
	}
	start := len(out)
	for _, attempt := range feedAttempts {
		statement := p.feed.ofAuthors[at]
		if attempt.newest {
			if person.GetInt("followingCount") < manyFollowees {
				continue
			}
			statement = p.feed.newest[at]
		}
		params["window"], params["candidates"] = attempt.window, attempt.most(request.PerPage)
		var found int
		var err error
		if out, found, err = r.appendRows(out[:start], p, statement, params); err != nil || found == request.PerPage {
			return out, err
		}
	}
	return out, nil
}
