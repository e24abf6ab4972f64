// Package rule says who may see what, once: as functions in PocketBase's rule
// language, and as the same SQL for Go.
package rule

import (
	"fmt"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"doubletap/internal/db"
)

// Func writes the SQL of a rule function: me is the caller's id, or NULL for a
// guest, and args are the function's other arguments, all of them SQL. The SQL must be one
// condition and must alias every table it names, since the rule's own table may be the same.
type Func func(me string, args ...string) string

const caller = "@request.auth.id"

func init() {
	Register("follows", 1, func(me string, a ...string) string { return follows(me, a[0]) })
	Register("blocked", 1, func(me string, a ...string) string { return blocked(me, a[0]) })
	Register("blockedBy", 1, func(me string, a ...string) string { return blockedBy(me, a[0]) })
	Register("sees", 2, func(me string, a ...string) string { return sees(me, a[0], a[1]) })
	Register("seesPost", 1, func(me string, a ...string) string { return seesPost(me, a[0]) })
	Register("seesTag", 1, func(me string, a ...string) string { return seesTag(me, a[0]) })
}

// Register adds name to PocketBase's rule language as a function of the literal
// @request.auth.id and n further arguments, each a field or a text. No client's filter can call it: with
// the literal PocketBase answers 403, without it 400. The table of functions belongs to the
// process, so call Register before the first app starts; it panics on a name that is taken.
func Register(name string, n int, sql Func) {
	if _, taken := search.TokenFunctions[name]; taken {
		panic("rule function " + name + " exists already")
	}
	search.TokenFunctions[name] = func(resolve func(fexpr.Token) (*search.ResolverResult, error), args ...fexpr.Token) (*search.ResolverResult, error) {
		if len(args) != n+1 || args[0].Type != fexpr.TokenIdentifier || args[0].Literal != caller {
			return nil, fmt.Errorf("[%s] expected %s and %d more arguments", name, caller, n)
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

func follows(me, user string) string {
	return "EXISTS (SELECT 1 FROM {{follows}} {{_f}} WHERE [[_f.follower]] = " + me + " AND [[_f.followee]] = " + user + " AND [[_f.state]] = 'accepted')"
}

func blockedBy(me, user string) string {
	return "EXISTS (SELECT 1 FROM {{blocks}} {{_b}} WHERE [[_b.blocker]] = " + user + " AND [[_b.blocked]] = " + me + ")"
}

func blocked(me, user string) string {
	return "(" + blockedBy(me, user) + " OR " + blockedBy(user, me) + ")"
}

func sees(me, author, visibility string) string {
	return "EXISTS (SELECT 1 FROM {{users}} {{_u}} WHERE [[_u.id]] = " + author + " AND " + open(me, visibility) + ")"
}

// open is the condition of sees on the author {{_u}}.
func open(me, visibility string) string {
	return "([[_u.id]] = " + me + " OR ([[_u.state]] = 'active' AND NOT " + blocked(me, "[[_u.id]]") +
		" AND ((" + visibility + " = 'public' AND NOT [[_u.private]]) OR (" + visibility + " IN ('public', 'followers') AND " + follows(me, "[[_u.id]]") + "))))"
}

func seesPost(me, post string) string {
	return "EXISTS (SELECT 1 FROM {{posts}} {{_p}} JOIN {{users}} {{_u}} ON [[_u.id]] = [[_p.author]] WHERE [[_p.id]] = " + post + " AND " + shown(me) + ")"
}

// seesTag is true of a hashtag when there is a post with it to see: its name may be a secret else.
func seesTag(me, tag string) string {
	return "EXISTS (SELECT 1 FROM {{post_tags}} {{_t}} JOIN {{posts}} {{_p}} ON [[_p.id]] = [[_t.post]] JOIN {{users}} {{_u}} ON [[_u.id]] = [[_p.author]] WHERE [[_t.tag]] = " +
		tag + " AND " + shown(me) + ")"
}

// shown is the condition of seesPost on the post {{_p}} of the author {{_u}}.
func shown(me string) string {
	return "([[_p.author]] = " + me + " OR (NOT [[_p.hidden]] AND " + open(me, "[[_p.visibility]]") + "))"
}

// PostShown is seesPost as the condition of a statement that has the post as _p, its author as _u,
// and the signed-in caller as the parameter me.
var PostShown = shown("{:me}")

// UserShown is the rule of users, the caller's own record apart or active and not blocking the caller, as the condition of a
// statement that has the user as _u and the signed-in caller as the parameter me.
var UserShown = "([[_u.id]] = {:me} OR ([[_u.state]] = 'active' AND NOT " + blockedBy("{:me}", "[[_u.id]]") + "))"

// CommentShown is the rule of comments as the condition of a statement that has the comment as _c and, as in PostShown, its post.
var CommentShown = "(" + PostShown + " AND (NOT [[_c.hidden]] OR [[_c.author]] = {:me}) AND ([[_c.author]] = '' OR NOT " + blocked("{:me}", "[[_c.author]]") + "))"

// SeesPost reports whether the user me, or a guest when me is empty, may see the post.
func SeesPost(app core.App, me, post string) (bool, error) {
	return ask(app, seesPost(person(me), "{:post}"), dbx.Params{"me": me, "post": post})
}

// Sees reports whether the user me, or a guest when me is empty, may see the public things of user.
func Sees(app core.App, me, user string) (bool, error) {
	return ask(app, sees(person(me), "{:user}", "'public'"), dbx.Params{"me": me, "user": user})
}

// Blocked reports whether either of the two users blocks the other.
func Blocked(app core.App, a, b string) (bool, error) {
	return ask(app, blocked("{:me}", "{:user}"), dbx.Params{"me": a, "user": b})
}

// Follows reports whether a is an accepted follower of b.
func Follows(app core.App, a, b string) (bool, error) {
	return ask(app, follows("{:me}", "{:user}"), dbx.Params{"me": a, "user": b})
}

// person is the SQL of a caller: a guest is NULL, which equals nobody.
func person(me string) string {
	if me == "" {
		return "NULL"
	}
	return "{:me}"
}

func ask(app core.App, condition string, params dbx.Params) (bool, error) {
	var yes bool
	if _, err := db.Value(app, &yes, "SELECT "+condition, params); err != nil {
		return false, fmt.Errorf("ask rule: %w", err)
	}
	return yes, nil
}
