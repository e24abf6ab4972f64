package inbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/visibility"
)

// filterVisible returns those of the listeners who may see the row as the record has it, by the collection's rule and
// by the topic's own filter.
func (in *Inbox) filterVisible(record *core.Record, listeners []listener) ([]listener, error) {
	c := record.Collection()
	seeing, err := in.filterByCondition(record, listeners, true, func(l listener) *string {
		switch {
		case l.isSuperuser():
			return new(string)
		case l.topic.row == everyRow:
			return c.ListRule
		}
		return c.ViewRule
	})
	if err != nil {
		return nil, err
	}
	return in.filterByCondition(record, seeing, false, func(l listener) *string {
		filter := l.topic.options.Query[search.FilterQueryParam]
		if !l.isSuperuser() && (strings.Contains(filter, "@request.") || strings.Contains(filter, "@collection.")) { // as in PocketBase
			return nil
		}
		return &filter
	})
}

// visibilityQuery is a condition that a row is tested against, for all viewers whose answers one statement can give.
type visibilityQuery struct {
	condition  string
	plan       *visibility.Plan // of a rule that depends on nothing but the row and the viewer; else nil
	soleViewer string           // the one viewer and topic, when the condition has no plan and depends on them
}

// filterByCondition returns those of the listeners whose condition holds. A nil condition holds for nobody, an empty
// one for everybody. rule says whether the conditions are rules, else they are filters.
func (in *Inbox) filterByCondition(record *core.Record, listeners []listener, rule bool, condition func(listener) *string) (passed []listener, err error) {
	asking := map[visibilityQuery][]listener{}
	for _, l := range listeners {
		text := condition(l)
		switch {
		case text == nil:
		case *text == "":
			passed = append(passed, l)
		default:
			q := visibilityQuery{condition: *text}
			if rule {
				q.plan = in.findPlan(record, text, l.auth)
			}
			if q.plan == nil && (rule || strings.Contains(*text, ".")) { // across a relation, the rules of the other collection apply as well
				q.soleViewer = viewerKey(l.auth) + "?" + l.topic.name
			}
			asking[q] = append(asking[q], l)
		}
	}
	for q, asking := range asking {
		in.chargeListeners(asking)
		holds, err := in.queryListeners(record, q, rule, asking)
		if err != nil {
			return nil, err
		}
		passed = append(passed, holds...)
	}
	return passed, nil
}

// findPlan returns the plan of a rule of the row's collection, or nil. The row is as it was written, perhaps no longer
// as it is stored.
func (in *Inbox) findPlan(record *core.Record, rule *string, viewer *core.Record) *visibility.Plan {
	viewers, _ := visibility.ViewersOf(viewer)
	plan, _ := visibility.PlanOf(in.app, record.Collection(), rule, viewers)
	if plan != nil && plan.ReadsStoredRow() {
		return nil
	}
	return plan
}

const maxViewersPerQuery = 500 // viewers of one statement

// queryListeners returns those of the listeners for whom the condition holds.
func (in *Inbox) queryListeners(record *core.Record, q visibilityQuery, rule bool, asking []listener) (holds []listener, err error) {
	first := asking[0]
	if q.plan != nil && first.auth != nil {
		return in.queryViewers(record, q.plan, asking)
	}
	var query *dbx.Query
	if q.plan != nil {
		query, err = in.buildPlanQuery(record, q.plan, nil)
	} else {
		query, err = in.buildVisibilityQuery(record, q.condition, rule, in.requestInfo(first.auth, first.topic))
	}
	var yes []int
	isAsked := err == nil // else the error may have the client's own words, such as those of a failing disk
	if isAsked {
		err = query.Column(&yes)
	}
	switch {
	case err != nil && (rule || isAsked && fault.IsTransient(err)):
		return nil, fmt.Errorf("ask who sees %s %s: %s: %w", record.Collection().Name, record.Id, q.condition, err)
	case err != nil || len(yes) == 0:
		return nil, nil //nolint:nilerr // nobody passes a filter that makes no sense
	}
	return asking, nil
}

// queryViewers returns those of the listeners whom a plan shows the row.
func (in *Inbox) queryViewers(record *core.Record, plan *visibility.Plan, asking []listener) ([]listener, error) {
	viewers := map[string]bool{}
	for _, l := range asking {
		viewers[l.auth.Id] = false
	}
	for ids := range slices.Chunk(mapKeys(viewers), maxViewersPerQuery) {
		query, err := in.buildPlanQuery(record, plan, ids)
		var seeing []string
		if err == nil {
			err = query.Column(&seeing)
		}
		if err != nil {
			return nil, fmt.Errorf("ask who sees %s %s: %w", record.Collection().Name, record.Id, err)
		}
		for _, id := range seeing {
			viewers[id] = true
		}
	}
	return slices.DeleteFunc(asking, func(l listener) bool { return !viewers[l.auth.Id] }), nil
}

func mapKeys(m map[string]bool) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	return all
}

// requestInfo returns the request on whose behalf PocketBase's realtime would check a topic.
func (in *Inbox) requestInfo(auth *core.Record, t topic) *core.RequestInfo {
	return &core.RequestInfo{Context: core.RequestInfoContextRealtime, Method: "GET", Query: t.options.Query, Headers: t.options.Headers, Auth: auth}
}

// buildPlanQuery builds the query that selects 1 if guests are shown the row. With viewers, it selects those of their
// ids who are.
func (in *Inbox) buildPlanQuery(record *core.Record, plan *visibility.Plan, viewers []string) (*dbx.Query, error) {
	c, with, params, err := recordAsTable(in.app, record)
	if err != nil {
		return nil, err
	}
	if viewers == nil {
		return in.app.ConcurrentDB().NewQuery("WITH " + with + " SELECT 1 FROM {{" + c.Name + "}} WHERE " + plan.SQL(c.Name, "NULL")).Bind(params), nil
	}
	params["viewers_"] = db.JSONList(viewers)
	return in.app.ConcurrentDB().NewQuery("WITH " + with + " SELECT viewers_.value FROM json_each({:viewers_}) viewers_, {{" + c.Name + "}} WHERE " +
		plan.SQL(c.Name, "viewers_.value")).Bind(params), nil
}

// buildVisibilityQuery builds the query that selects 1 if the condition holds for the viewer of info, through
// PocketBase's own resolver.
func (in *Inbox) buildVisibilityQuery(record *core.Record, condition string, rule bool, info *core.RequestInfo) (*dbx.Query, error) {
	c, with, params, err := recordAsTable(in.app, record)
	if err != nil {
		return nil, err
	}
	q := in.app.ConcurrentDB().Select("(1)").From(c.Name).Limit(1).PreFragment("WITH " + with).AndBind(params)
	resolver := core.NewRecordFieldResolver(in.app, c, info, rule) // filters see no hidden fields
	expression, err := search.FilterData(condition).BuildExpr(resolver)
	if err != nil {
		return nil, err
	}
	if err := resolver.UpdateQuery(q.AndWhere(expression)); err != nil {
		return nil, err
	}
	return q.Build(), nil
}
