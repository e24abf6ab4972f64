// Package visibility says in one place who may see what, as functions in PocketBase's rule language and as the same SQL
// for Go, and reads what is between the person who looks and what they are shown.
package visibility

import (
	"fmt"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/db"
)

// SQLFunction returns the SQL of a rule function: me is the SQL of the caller's id, or NULL for a guest, and args is
// the SQL of the function's other arguments. It must be one condition and must alias every table it names, since the
// rule's own table may be the same.
type SQLFunction func(me string, args ...string) string

const callerField = "@request.auth.id"

func init() {
	RegisterFunction("follows", 1, func(me string, a ...string) string { return FollowsSQL(me, a[0]) })
	RegisterFunction("blocked", 1, func(me string, a ...string) string { return EitherBlocksSQL(me, a[0]) })
	RegisterFunction("blockedBy", 1, func(me string, a ...string) string { return BlocksSQL(a[0], me) })
	RegisterFunction("sees", 2, func(me string, a ...string) string { return seesSQL(me, a[0], a[1]) })
	RegisterFunction("seesPost", 1, func(me string, a ...string) string { return seesPostSQL(me, a[0]) })
	RegisterFunction("seesTag", 1, func(me string, a ...string) string { return seesTagSQL(me, a[0]) })
}

// RegisterFunction adds a function called name to PocketBase's rule language. Its arguments are the literal
// @request.auth.id and n more, each a field or a text. No client's filter can call it: with the literal PocketBase
// answers 403, without it 400. The table of functions belongs to the process, so call RegisterFunction before the
// first app starts. It panics on a name that is taken.
func RegisterFunction(name string, n int, sql SQLFunction) {
	if _, taken := search.TokenFunctions[name]; taken {
		panic("rule function " + name + " exists already")
	}
	search.TokenFunctions[name] = func(resolve func(fexpr.Token) (*search.ResolverResult, error), args ...fexpr.Token) (*search.ResolverResult, error) {
		if len(args) != n+1 || args[0].Type != fexpr.TokenIdentifier || args[0].Literal != callerField {
			return nil, fmt.Errorf("[%s] expected %s and %d more arguments", name, callerField, n)
		}
		params := dbx.Params{}
		parts := make([]string, len(args))
		for i, arg := range args {
			if arg.Type != fexpr.TokenIdentifier && arg.Type != fexpr.TokenText {
				return nil, fmt.Errorf("[%s] argument %d must be a field or a text", name, i)
			}
			resolved, err := resolve(arg)
			if err != nil {
				return nil, fmt.Errorf("[%s] argument %d: %w", name, i, err)
			}
			if resolved.MultiMatchSubQuery != nil {
				return nil, fmt.Errorf("[%s] argument %d must be a single value", name, i)
			}
			parts[i] = resolved.Identifier
			for key, value := range resolved.Params {
				params[key] = value
			}
		}
		return &search.ResolverResult{
			NullFallback: search.NullFallbackDisabled,
			Identifier:   "(" + sql(parts[0], parts[1:]...) + ")",
			Params:       params,
		}, nil
	}
}

func seesSQL(me, author, visibility string) string {
	return "EXISTS (SELECT 1 FROM {{users}} {{_u}} WHERE [[_u.id]] = " + author + " AND " + authorVisibleSQL(me, visibility) + ")"
}

// authorVisibleSQL is the condition of seesSQL on the author {{_u}}.
func authorVisibleSQL(me, visibility string) string {
	return "([[_u.id]] = " + me + " OR ([[_u.state]] = 'active' AND NOT " + EitherBlocksSQL(me, "[[_u.id]]") +
		" AND ((" + visibility + " = 'public' AND NOT [[_u.private]]) OR (" + visibility + " IN ('public', 'followers') AND " + FollowsSQL(me, "[[_u.id]]") + "))))"
}

func seesPostSQL(me, post string) string {
	return "EXISTS (SELECT 1 FROM {{posts}} {{_p}} JOIN {{users}} {{_u}} ON [[_u.id]] = [[_p.author]] WHERE [[_p.id]] = " + post + " AND " + postVisibleSQL(me) + ")"
}

// seesTagSQL is true for a hashtag when the caller may see a post with it: otherwise its name may be a secret.
func seesTagSQL(me, tag string) string {
	return "EXISTS (SELECT 1 FROM {{post_tags}} {{_t}} JOIN {{posts}} {{_p}} ON [[_p.id]] = [[_t.post]] JOIN {{users}} {{_u}} ON [[_u.id]] = [[_p.author]] WHERE [[_t.tag]] = " +
		tag + " AND " + postVisibleSQL(me) + ")"
}

// postVisibleSQL is the condition of seesPostSQL on the post {{_p}} of the author {{_u}}.
func postVisibleSQL(me string) string {
	return "([[_p.author]] = " + me + " OR (NOT [[_p.hidden]] AND " + authorVisibleSQL(me, "[[_p.visibility]]") + "))"
}

// MaySeePost reports whether the user me, or a guest when me is empty, may see the post.
func MaySeePost(app core.App, me, post string) (bool, error) {
	return queryCondition(app, seesPostSQL(callerSQL(me), "{:post}"), dbx.Params{"me": me, "post": post})
}

// MaySeeUser reports whether the user me, or a guest when me is empty, may see what user shows to the public.
func MaySeeUser(app core.App, me, user string) (bool, error) {
	return queryCondition(app, seesSQL(callerSQL(me), "{:user}", "'public'"), dbx.Params{"me": me, "user": user})
}

// EitherBlocks reports whether either of the two users blocks the other.
func EitherBlocks(app core.App, a, b string) (bool, error) {
	return queryCondition(app, EitherBlocksSQL("{:me}", "{:user}"), dbx.Params{"me": a, "user": b})
}

// IsFollower reports whether a is an accepted follower of b.
func IsFollower(app core.App, a, b string) (bool, error) {
	return queryCondition(app, FollowsSQL("{:me}", "{:user}"), dbx.Params{"me": a, "user": b})
}

// callerSQL returns the SQL of a caller: NULL for a guest, which equals nobody.
func callerSQL(me string) string {
	if me == "" {
		return "NULL"
	}
	return "{:me}"
}

func queryCondition(app core.App, condition string, params dbx.Params) (bool, error) {
	var yes bool
	if _, err := db.QueryValue(app, &yes, "SELECT "+condition, params); err != nil {
		return false, fmt.Errorf("ask rule: %w", err)
	}
	return yes, nil
}
