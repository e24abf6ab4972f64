package visibility

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
)

// Plan is a collection's rule as one SQL condition on a row: the same text for all viewers of one auth collection, or
// for all guests. PocketBase's own resolver writes it, once for each version of the collections.
//
// What the rule joins is inside an EXISTS of the condition. So a plan can stand in any statement: it adds no rows, and
// needs no DISTINCT.
type Plan struct {
	condition string // the row's columns are [[table.column]], the viewer's id is {:viewer}
	table     string
	findsRow  bool // see ReadsStoredRow
}

// SQL returns the condition on a row that the statement calls row, for the viewer whose id is the SQL viewer. The plan
// of guests does not use viewer.
func (p *Plan) SQL(row, viewer string) string {
	condition := strings.ReplaceAll(p.condition, "[["+p.table+".", "[["+row+".")
	return strings.ReplaceAll(condition, viewerParam, viewer)
}

// SQLOfUnstored returns the condition on a row that is not in its table: column returns the SQL of a column, or false
// where its value is not known. It returns false when the rule needs such a value, or the row in its table.
func (p *Plan) SQLOfUnstored(column func(name string) (sql string, known bool), viewer string) (string, bool) {
	complete := !p.findsRow
	condition := regexp.MustCompile(`\[\[`+p.table+`\.\w+\]\]`).ReplaceAllStringFunc(p.condition, func(name string) string {
		sql, known := column(name[len(p.table)+3 : len(name)-2])
		complete = complete && known
		return sql
	})
	return strings.ReplaceAll(condition, viewerParam, viewer), complete
}

// ReadsStoredRow reports whether the condition looks the row up in its table, as PocketBase does to compare each value
// of a list with a single one.
func (p *Plan) ReadsStoredRow() bool { return p.findsRow }

// Reason says why a rule has no plan. PocketBase's resolver then reads it anew for each request.
type Reason string

// The reasons why a rule has no plan.
const (
	ForSuperusers Reason = "rule_superusers" // it lets in nobody else
	UsesRequest   Reason = "rule_request"    // it reads the request's body, query, headers, method or context
	UsesTime      Reason = "rule_time"       // it reads a part of the time, such as @month; @now has a plan
	SearchesText  Reason = "rule_viewer"     // it looks for the viewer's id or address within a text
	ReadsRow      Reason = "rule_row"        // it reads what the row does not have, such as the id of one that is not stored yet
	NotReadable   Reason = "rule_invalid"    // PocketBase does not understand it
)

const (
	viewerParam  = "{:viewer}"
	viewerMark   = "eachviewerinturn" // stands for every viewer's id while PocketBase writes the condition
	viewerColumn = "(SELECT [[_viewer."

	timeMark = "eachtimeinturn" // stands for the present time, likewise
	// TimeSQL is the machine's time in the form in which times are stored, as PocketBase's @now has it.
	TimeSQL = "strftime('%Y-%m-%d %H:%M:%fZ', 'now')"
)

var nowMacro = regexp.MustCompile(`@now\b`)

// timeMacros are the other names that PocketBase replaces by the time or a part of it.
var timeMacros = regexp.MustCompile(`@(yesterday|tomorrow|second|minute|hour|day|month|weekday|year|todayStart|todayEnd|monthStart|monthEnd|yearStart|yearEnd)\b`)

// compileRule returns the plan of a rule for the viewers of an auth collection, or for guests if viewers is nil; or why
// there is none.
func compileRule(app core.App, c *core.Collection, rule *string, viewers *core.Collection) (*Plan, Reason) {
	switch {
	case rule == nil:
		return nil, ForSuperusers
	case *rule == "":
		return &Plan{condition: "1", table: c.Name}, ""
	case timeMacros.MatchString(*rule):
		return nil, UsesTime
	}
	info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "GET"}
	if viewers != nil {
		info.Auth = core.NewRecord(viewers)
		info.Auth.Id = viewerMark
	}
	resolver := &planResolver{RecordFieldResolver: core.NewRecordFieldResolver(app, c, info, true), viewers: viewers}
	expression, err := search.FilterData(nowMacro.ReplaceAllString(*rule, `"`+timeMark+`"`)).BuildExpr(resolver)
	if resolver.readsRequest {
		return nil, UsesRequest
	}
	if err != nil {
		return nil, NotReadable
	}
	query := app.DB().Select("1").From("row_").AndWhere(expression)
	if err := resolver.UpdateQuery(query); err != nil {
		return nil, NotReadable
	}
	built := query.Build()
	_, condition, _ := strings.Cut(built.SQL(), "FROM `row_` ")
	condition, reason := writeLiterals(condition, built.Params())
	if reason != "" {
		return nil, reason
	}
	p := &Plan{table: c.Name, findsRow: strings.Contains(condition, "`__mm_"+c.Name+"`")}
	condition = strings.ReplaceAll(condition, "`"+c.Name+"`.`id`", "[["+c.Name+".id]]")
	if where, alone := strings.CutPrefix(condition, "WHERE "); alone {
		p.condition = "(" + where + ")"
	} else {
		p.condition = "EXISTS (SELECT 1 FROM (SELECT 1) " + condition + ")"
	}
	return p, ""
}

// planResolver resolves fields as PocketBase does, save for those whose value differs between two requests.
type planResolver struct {
	*core.RecordFieldResolver
	viewers      *core.Collection
	readsRequest bool
}

// Resolve implements [search.FieldResolver].
func (r *planResolver) Resolve(field string) (*search.ResolverResult, error) {
	name, ofViewer := strings.CutPrefix(field, "@request.auth.")
	switch {
	case !ofViewer && strings.HasPrefix(field, "@request."):
		r.readsRequest = true
	case r.viewers != nil && (name == core.FieldNameVerified || name == core.FieldNameEmail || name == core.FieldNameEmailVisibility):
		// PocketBase writes their values into the condition; all others it reads from the viewer's row
		return &search.ResolverResult{Identifier: viewerColumn + name + "]] FROM {{" + r.viewers.Name + "}} {{_viewer}} WHERE [[_viewer.id]] = " + viewerParam + ")"}, nil
	}
	return r.RecordFieldResolver.Resolve(field)
}

var ruleParams = regexp.MustCompile(`\{:(\w+)\}`)

// writeLiterals writes a rule's values into its condition, and the viewer's parameter in place of the mark.
func writeLiterals(condition string, params dbx.Params) (written string, reason Reason) {
	if strings.Contains(condition, "|| "+viewerColumn) { // PocketBase would escape what is in the value
		return "", SearchesText
	}
	written = ruleParams.ReplaceAllStringFunc(condition, func(mark string) string {
		value, bound := params[mark[2:len(mark)-1]]
		if !bound {
			return mark // the viewer's
		}
		if text, isText := value.(string); isText && strings.Contains(text, viewerMark) {
			if text != viewerMark {
				reason = SearchesText
			}
			return viewerParam
		}
		if text, isText := value.(string); isText && strings.Contains(text, timeMark) {
			if text != timeMark {
				reason = SearchesText
			}
			return TimeSQL
		}
		literal, known := literalSQL(value)
		if !known {
			reason = NotReadable
		}
		return literal
	})
	return written, reason
}

// literalSQL returns a value of a rule as SQL without an affinity, like a parameter. It returns false for a type of
// value that no rule has. Brackets are written as codes, since they could mean something to who runs the statement.
func literalSQL(value any) (sql string, known bool) {
	switch v := value.(type) {
	case string:
		text := strings.ReplaceAll(v, "'", "''")
		for _, special := range []rune{'[', '{', 0} {
			text = strings.ReplaceAll(text, string(special), fmt.Sprintf("'||char(%d)||'", special))
		}
		return "('" + text + "')", true
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // else it would be an integer, which is another text
		}
		return text, !math.IsInf(v, 0) && !math.IsNaN(v)
	}
	return "", false
}
