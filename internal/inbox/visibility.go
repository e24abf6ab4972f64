package inbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/db"
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
	condition        string
	viewerCollection string // the viewers' auth collection, empty for guests
	soleViewer       string // the one viewer and topic, when the condition depends on more than the viewer's id; else empty
}

// viewerDependent matches what a rule may depend on besides the row and the viewer's id.
var viewerDependent = regexp.MustCompile(`@request\.(query|headers|auth\.(email|emailVisibility|verified)\b)`)

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
			if l.auth != nil {
				q.viewerCollection = l.auth.Collection().Id
			}
			if rule && viewerDependent.MatchString(*text) || !rule && strings.Contains(*text, ".") { // across a relation, the rules of the other collection apply as well
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

const maxViewersPerQuery = 500 // viewers of one statement

// viewerPlaceholder is an id that stands for each viewer's until the SQL is written.
const viewerPlaceholder = "each_viewer_in_turn"

func (in *Inbox) queryListeners(record *core.Record, q visibilityQuery, rule bool, asking []listener) (holds []listener, err error) {
	first := asking[0]
	if q.viewerCollection == "" || q.soleViewer != "" {
		var yes []int
		query, err := in.buildVisibilityQuery(record, q.condition, rule, in.requestInfo(first.auth, first.topic), nil)
		if err == nil {
			err = query.Column(&yes)
		}
		if err != nil {
			return nil, visibilityError(record, q, rule, err)
		}
		if len(yes) == 0 {
			return nil, nil
		}
		return asking, nil
	}
	one := core.NewRecord(first.auth.Collection())
	one.Id = viewerPlaceholder
	viewers := map[string]bool{}
	for _, l := range asking {
		viewers[l.auth.Id] = false
	}
	for ids := range slices.Chunk(mapKeys(viewers), maxViewersPerQuery) {
		query, err := in.buildVisibilityQuery(record, q.condition, rule, in.requestInfo(one, first.topic), ids)
		var seeing []string
		if err == nil {
			err = query.Column(&seeing)
		}
		if err != nil {
			return nil, visibilityError(record, q, rule, err)
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

// visibilityError returns the error of a visibility query, or nil if the condition is a filter: nobody passes a filter
// that makes no sense.
func visibilityError(record *core.Record, q visibilityQuery, rule bool, err error) error {
	if !rule {
		return nil
	}
	return fmt.Errorf("ask who sees %s %s: %s: %w", record.Collection().Name, record.Id, q.condition, err)
}

// requestInfo returns the request on whose behalf PocketBase's realtime would check a topic.
func (in *Inbox) requestInfo(auth *core.Record, t topic) *core.RequestInfo {
	return &core.RequestInfo{Context: core.RequestInfoContextRealtime, Method: "GET", Query: t.options.Query, Headers: t.options.Headers, Auth: auth}
}

// buildVisibilityQuery builds the query that selects a row if the condition holds for the viewer of info. With
// viewers, it selects those of their ids for whom the condition holds.
func (in *Inbox) buildVisibilityQuery(record *core.Record, condition string, rule bool, info *core.RequestInfo, viewers []string) (*dbx.Query, error) {
	c, with, params, err := recordAsTable(in.app, record)
	if err != nil {
		return nil, err
	}
	base := in.app.ConcurrentDB()
	q := base.Select("(1)").From(c.Name).Limit(1)
	if viewers != nil {
		with += ", viewers_ AS (SELECT value AS id FROM json_each({:viewers_}))"
		q = base.Select("viewers_.id").From("viewers_", c.Name)
	}
	q.PreFragment("WITH " + with).AndBind(params)
	resolver := core.NewRecordFieldResolver(in.app, c, info, rule) // filters see no hidden fields
	expression, err := search.FilterData(condition).BuildExpr(resolver)
	if err != nil {
		return nil, err
	}
	q.AndWhere(expression)
	if err := resolver.UpdateQuery(q); err != nil {
		return nil, err
	}
	if viewers == nil {
		return q.Build(), nil
	}
	built := q.Build()
	text, bound := built.SQL(), dbx.Params{"viewers_": db.JSONList(viewers)}
	for name, value := range built.Params() {
		if value == viewerPlaceholder {
			text = strings.ReplaceAll(text, "{:"+name+"}", "viewers_.id")
		} else {
			bound[name] = value
		}
	}
	return base.NewQuery(text).Bind(bound), nil
}
