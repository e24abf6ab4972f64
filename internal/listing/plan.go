package listing

import "github.com/doubletap/doubletap/internal/visibility"

// fromMe and whereMe select the viewer, if the token is still valid.
const fromMe = " FROM users me"
const whereMe = " WHERE me.id = {:me} AND me.tokenKey = {:key} AND "

func (c *planCache) makePlan(r Request) *pagePlan {
	if !isShippedRule(c.posts.ViewRule, postsRule) || !isShippedRule(c.users.ViewRule, usersRule) || c.users.ManageRule != nil {
		return nil
	}
	switch {
	case r.Collection == "feed" && isShippedRule(c.feed.ListRule, feedRule):
		return c.makeFeedPlan(r.Expand)
	case r.Collection == "notifications" && isShippedRule(c.notifications.ListRule, trayRule) && isShippedRule(c.comments.ViewRule, commentsRule):
		return c.makeTrayPlan(r.Expand)
	case r.Collection == "posts" && isShippedRule(c.posts.ListRule, postsRule):
		return c.makePostsPlan(r)
	}
	return nil
}

func isShippedRule(rule *string, text string) bool { return rule != nil && *rule == text }

func (c *planCache) makePostsPlan(r Request) *pagePlan {
	row, ok := postTemplate(c.posts, c.users, r.Expand == "author")
	if !ok {
		return nil
	}
	joins := viewerJoins(true, r.Expand == "author")
	if r.ID != "" {
		return makeListPlan(row, " JOIN posts _p ON _p.id = {:id} JOIN users _u ON _u.id = _p.author"+joins, visibility.PostShownSQL, "", "")
	}
	order := " ORDER BY _p.created DESC"
	if r.Sort == "-created,-id" {
		order += ", _p.id DESC"
	}
	return makeListPlan(row, " JOIN posts _p ON _p.author = {:author} JOIN users _u ON _u.id = _p.author"+joins,
		visibility.PostShownSQL, " AND _p.created <= {:at} AND (_p.created < {:at} OR _p.id < {:last})", order)
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
	head := "SELECT " + row.rowTextSQL() + fromMe + joins + whereMe + shown
	limit := " LIMIT {:n}"
	return &pagePlan{firstSQL: head + order + limit, nextSQL: head + cursor + order + limit, row: row}
}
