package visibility

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
)

// Restrict limits a query of a collection's records to those that a rule of the collection shows to the sender of a
// request, as PocketBase does for a list. Superusers pass every rule; a nil rule lets in nobody else.
func Restrict(app core.App, query *dbx.SelectQuery, c *core.Collection, rule *string, info *core.RequestInfo) error {
	if info.HasSuperuserAuth() || rule != nil && *rule == "" {
		return nil
	}
	viewers, viewer := ViewersOf(info.Auth)
	plan, reason := PlanOf(app, c, rule, viewers)
	switch {
	case reason == ForSuperusers:
		query.AndWhere(dbx.NewExp("1 = 0"))
		return nil
	case plan != nil:
		query.AndWhere(dbx.NewExp(plan.SQL(c.Name, viewerParam), dbx.Params{"viewer": viewer}))
		return nil
	}
	resolver := core.NewRecordFieldResolver(app, c, info, true)
	condition, err := search.FilterData(*rule).BuildExpr(resolver)
	if err != nil {
		return fmt.Errorf("read the rule %q of %s: %w", *rule, c.Name, err)
	}
	return resolver.UpdateQuery(query.AndWhere(condition))
}

// ViewersOf returns the auth collection of a viewer and the viewer's id; nil and empty for a guest.
func ViewersOf(auth *core.Record) (*core.Collection, string) {
	if auth == nil {
		return nil, ""
	}
	return auth.Collection(), auth.Id
}
