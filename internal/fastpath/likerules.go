package fastpath

import (
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/visibility"
)

// LikeRules are the rules of likes as they are now, as the statements that ask them.
type LikeRules struct {
	version *core.Collection // of likes; PocketBase loads all collections anew when one changes

	CreateReason, DeleteReason visibility.Reason // why the rule has no statement, if not empty
	createSQL, deleteSQL       string
}

// LikeRuleCache holds the rules of likes until a collection changes.
type LikeRuleCache struct{ current atomic.Pointer[LikeRules] }

// Find returns the rules of the collection likes, as PocketBase has it cached, for its users.
func (c *LikeRuleCache) Find(app core.App, likes *core.Collection) (*LikeRules, error) {
	if r := c.current.Load(); r != nil && r.version == likes {
		return r, nil
	}
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return nil, err
	}
	r := &LikeRules{version: likes}
	r.createSQL, r.CreateReason = createStatement(app, likes, users)
	r.deleteSQL, r.DeleteReason = deleteStatement(app, likes, users)
	c.current.Store(r)
	return r, nil
}

// newLikeColumns are the columns of a like that is not stored yet, when its rule is asked.
var newLikeColumns = map[string]string{"post": "{:post}", "user": "{:user}", "created": "''", "updated": "''"}

func createStatement(app core.App, likes, users *core.Collection) (string, visibility.Reason) {
	plan, reason := visibility.PlanOf(app, likes, likes.CreateRule, users)
	if plan == nil {
		return "", reason
	}
	condition, complete := plan.SQLOfUnstored(func(name string) (string, bool) {
		sql, known := newLikeColumns[name]
		return sql, known
	}, "{:me}")
	if !complete {
		return "", visibility.ReadsRow
	}
	join := " LEFT JOIN "
	if visibility.Requires(likes.CreateRule, "seesPost(@request.auth.id, post) = true") {
		join = " JOIN "
	}
	return "SELECT coalesce(_p.author, ''), coalesce(l.id, {:like}), coalesce(l.created, ''), coalesce(l.updated, '') FROM users me" +
		join + "posts _p ON _p.id = {:post}" + join + "users _u ON _u.id = _p.author LEFT JOIN likes l ON l.post = {:post} AND l.user = me.id" +
		" WHERE me.id = {:me} AND me.state = 'active' AND me.tokenKey = {:key} AND " + visibility.WithJoinedPost(condition, "{:post}", "{:me}"), ""
}

func deleteStatement(app core.App, likes, users *core.Collection) (string, visibility.Reason) {
	plan, reason := visibility.PlanOf(app, likes, likes.DeleteRule, users)
	if plan == nil {
		return "", reason
	}
	return "SELECT l.post, l.user, l.created, l.updated, p.author FROM likes l JOIN posts p ON p.id = l.post JOIN users me ON me.id = {:me}" +
		" WHERE l.id = {:id} AND me.tokenKey = {:key} AND " + plan.SQL("l", "{:me}"), ""
}
