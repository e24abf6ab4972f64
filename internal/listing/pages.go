package listing

import "doubletap/internal/rule"

// fromMe is the person who asks, if the token holds.
const fromMe = " FROM users me"
const whereMe = " WHERE me.id = {:me} AND me.tokenKey = {:key} AND "

func (b *planCache) makePlan(a Request) *pagePlan {
	if !isShippedRule(b.posts.ViewRule, postsRule) || !isShippedRule(b.users.ViewRule, usersRule) || b.users.ManageRule != nil {
		return nil
	}
	switch {
	case a.Collection == "feed" && isShippedRule(b.feed.ListRule, feedRule):
		return b.makeFeedPlan(a.Expand)
	case a.Collection == "notifications" && isShippedRule(b.notifications.ListRule, trayRule) && isShippedRule(b.comments.ViewRule, commentsRule):
		return b.makeTrayPlan(a.Expand)
	case a.Collection == "posts" && isShippedRule(b.posts.ListRule, postsRule):
		return b.makePostsPlan(a)
	}
	return nil
}

func isShippedRule(rule *string, text string) bool { return rule != nil && *rule == text }

func (b *planCache) makeFeedPlan(expands string) *pagePlan {
	row, ok := recordFields(b.feed, "f")
	if expands != "" {
		p, known := postTemplate(b.posts, b.users, true)
		if !known {
			return nil
		}
		row = append(row, expandField("post", p))
	}
	if !ok {
		return nil
	}
	joins := " JOIN feed f ON f.viewer = me.id JOIN posts _p ON _p.id = f.post JOIN users _u ON _u.id = _p.author"
	return makeListPlan(objectTemplate(row), joins+viewerJoins(expands != "", expands != ""),
		"NOT f.gone AND "+rule.PostShownSQL, " AND f.at <= {:at} AND (f.at < {:at} OR f.post < {:last})", " ORDER BY f.at DESC, f.post DESC")
}

func (b *planCache) makePostsPlan(a Request) *pagePlan {
	row, ok := postTemplate(b.posts, b.users, a.Expand == "author")
	if !ok {
		return nil
	}
	joins := viewerJoins(true, a.Expand == "author")
	if a.ID != "" {
		return makeListPlan(row, " JOIN posts _p ON _p.id = {:id} JOIN users _u ON _u.id = _p.author"+joins, rule.PostShownSQL, "", "")
	}
	order := " ORDER BY _p.created DESC"
	if a.Sort == "-created,-id" {
		order += ", _p.id DESC"
	}
	return makeListPlan(row, " JOIN posts _p ON _p.author = {:author} JOIN users _u ON _u.id = _p.author"+joins,
		rule.PostShownSQL, " AND _p.created <= {:at} AND (_p.created < {:at} OR _p.id < {:last})", order)
}

// viewerJoins joins what the viewer's fields of posts and of their authors need.
func viewerJoins(posts, authors bool) (joins string) {
	if posts {
		joins = joinLikes
	}
	if authors {
		joins += joinFollows
	}
	return joins
}

// makeListPlan is the page of a row that is joined to me.
func makeListPlan(row *template, joins, shown, cursor, order string) *pagePlan {
	head := "SELECT " + row.rowTextSQL() + fromMe + joins + whereMe + shown
	limit := " LIMIT {:n}"
	return &pagePlan{firstSQL: head + order + limit, nextSQL: head + cursor + order + limit, row: row}
}
