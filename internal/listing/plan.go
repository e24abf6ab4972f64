package listing

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/visibility"
)

// fromMe and whereMe select the viewer, if the token is still valid.
const fromMe = " FROM users me"
const whereMe = " WHERE me.id = {:me} AND me.tokenKey = {:key} AND "

// makePlan returns the plan of a request, or one that says why there is none.
func (c *planCache) makePlan(r Request) *pagePlan {
	m := &planMaker{planCache: c}
	if c.users.ManageRule != nil {
		return &pagePlan{reason: ManagesUsers}
	}
	var p *pagePlan
	switch r.Collection {
	case "feed":
		p = m.makeFeedPlan(r.Expand)
	case "notifications":
		p = m.makeTrayPlan(r.Expand)
	default:
		p = m.makePostsPlan(r)
	}
	if m.reason != "" {
		return &pagePlan{reason: m.reason}
	}
	return p
}

// planMaker makes one plan, and remembers the first reason why there can be none.
type planMaker struct {
	*planCache
	reason visibility.Reason
}

func (m *planMaker) refuse(reason visibility.Reason) {
	if m.reason == "" {
		m.reason = reason
	}
}

// The conditions under which the viewer {:me} is shown rows by rules as they are now. A statement that is to be shown
// posts has joined their author as _u, one that is to be shown comments has joined their post as _p as well.

func (m *planMaker) shownSQL(c *core.Collection, rule *string, row string) string {
	plan, reason := visibility.PlanOf(m.app, c, rule, m.users)
	if plan == nil {
		m.refuse(reason)
		return ""
	}
	return plan.SQL(row, "{:me}")
}

func (m *planMaker) postShownSQL(rule *string) string {
	if isRule(rule, visibility.ShippedPostRule) {
		return visibility.ShippedPostSQL
	}
	return visibility.WithJoinedAuthor(m.shownSQL(m.posts, rule, "_p"), "_p", "{:me}")
}

func (m *planMaker) commentShownSQL() string {
	return visibility.WithJoinedPost(m.shownSQL(m.comments, m.comments.ViewRule, "_c"), "[[_c.post]]", "{:me}")
}

func isRule(rule *string, text string) bool { return rule != nil && *rule == text }

// authorShownSQL is the condition under which the author _u of a post that the rule shows is expanded.
func (m *planMaker) authorShownSQL(postRule *string) string {
	if isRule(postRule, visibility.ShippedPostRule) && isRule(m.users.ViewRule, visibility.ShippedUserRule) {
		return "1" // who does not see the author does not see the post
	}
	return "_u.id IS NOT NULL AND " + m.shownSQL(m.users, m.users.ViewRule, "_u")
}

// requireOwn refuses a rule that shows rows of other people too, where only the viewer's own rows are read.
func (m *planMaker) requireOwn(rule *string, owner string) {
	if !visibility.Requires(rule, owner+" = @request.auth.id") {
		m.refuse(ShowsOthers)
	}
}

func (m *planMaker) makePostsPlan(r Request) *pagePlan {
	rule := m.posts.ListRule
	if r.ID != "" {
		rule = m.posts.ViewRule
	}
	row, shown := m.postTemplate(rule, r.Expand == "author"), m.postShownSQL(rule)
	joins := " LEFT JOIN users _u ON _u.id = _p.author"
	if isRule(rule, visibility.ShippedPostRule) { // which shows no post without its author
		joins = " JOIN users _u ON _u.id = _p.author"
	}
	joins += viewerJoins(true, r.Expand == "author")
	if r.ID != "" {
		return makeListPlan(row, " JOIN posts _p ON _p.id = {:id}"+joins, shown, "", "")
	}
	order := " ORDER BY _p.created DESC"
	if r.Sort == "-created,-id" {
		order += ", _p.id DESC"
	}
	return makeListPlan(row, " JOIN posts _p ON _p.author = {:author}"+joins,
		shown, " AND _p.created <= {:at} AND (_p.created < {:at} OR _p.id < {:last})", order)
}

// viewerJoins returns the joins that the viewer's fields of posts, and of their authors, need.
func viewerJoins(posts, authors bool) (joins string) {
	if posts {
		joins = joinLikes
	}
	if authors {
		joins += joinFollows
	}
	return joins
}

// makeListPlan returns the plan of a page whose rows are joined to the viewer.
func makeListPlan(row *template, joins, shown, cursor, order string) *pagePlan {
	from := fromMe + joins + whereMe + shown
	p := &pagePlan{row: row}
	for i, cursor := range []string{"", cursor} {
		p.pageSQL[i] = "SELECT " + row.rowTextSQL() + from + cursor + order + " LIMIT {:n}"
		p.totalSQL[i] = "SELECT count(*)" + from + cursor
	}
	return p
}
