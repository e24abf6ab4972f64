package listing

import "doubletap/internal/rule"

// me is the person who asks, if the token holds.
const me = " FROM users me"
const asks = " WHERE me.id = {:me} AND me.tokenKey = {:key} AND "

func (b *book) make(a Ask) *page {
	if !shipped(b.posts.ViewRule, postsRule) || !shipped(b.users.ViewRule, usersRule) || b.users.ManageRule != nil {
		return nil
	}
	switch {
	case a.Collection == "feed" && shipped(b.feed.ListRule, feedRule):
		return b.makeFeed(a.Expand)
	case a.Collection == "notifications" && shipped(b.notifications.ListRule, trayRule) && shipped(b.comments.ViewRule, commentsRule):
		return b.makeTray(a.Expand)
	case a.Collection == "posts" && shipped(b.posts.ListRule, postsRule):
		return b.makePosts(a)
	}
	return nil
}

func shipped(rule *string, text string) bool { return rule != nil && *rule == text }

func (b *book) makeFeed(expands string) *page {
	row, ok := members(b.feed, "f")
	if expands != "" {
		p, known := post(b.posts, b.users, true)
		if !known {
			return nil
		}
		row = append(row, expand("post", p))
	}
	if !ok {
		return nil
	}
	joins := " JOIN feed f ON f.viewer = me.id JOIN posts _p ON _p.id = f.post JOIN users _u ON _u.id = _p.author"
	return list(object(row), joins+beside(expands != "", expands != ""),
		"NOT f.gone AND "+rule.PostShown, " AND f.at <= {:at} AND (f.at < {:at} OR f.post < {:last})", " ORDER BY f.at DESC, f.post DESC")
}

func (b *book) makePosts(a Ask) *page {
	row, ok := post(b.posts, b.users, a.Expand == "author")
	if !ok {
		return nil
	}
	joins := beside(true, a.Expand == "author")
	if a.ID != "" {
		return list(row, " JOIN posts _p ON _p.id = {:id} JOIN users _u ON _u.id = _p.author"+joins, rule.PostShown, "", "")
	}
	order := " ORDER BY _p.created DESC"
	if a.Sort == "-created,-id" {
		order += ", _p.id DESC"
	}
	return list(row, " JOIN posts _p ON _p.author = {:author} JOIN users _u ON _u.id = _p.author"+joins,
		rule.PostShown, " AND _p.created <= {:at} AND (_p.created < {:at} OR _p.id < {:last})", order)
}

// beside joins what the viewer's fields of posts and of their authors need.
func beside(posts, authors bool) (joins string) {
	if posts {
		joins = likes
	}
	if authors {
		joins += follows
	}
	return joins
}

// list is the page of a row that is joined to me.
func list(row *template, joins, shown, cursor, order string) *page {
	head := "SELECT " + row.sql() + me + joins + asks + shown
	limit := " LIMIT {:n}"
	return &page{first: head + order + limit, next: head + cursor + order + limit, row: row}
}
