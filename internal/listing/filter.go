package listing

import (
	"regexp"

	"github.com/ganigeorgiev/fexpr"
)

const maxFilterBytes = 500 // more has no supported filter, unless it is written to be long

// plainText matches a text of a filter that means itself.
var plainText = regexp.MustCompile(`^[\w :.-]+$`)

// parseFilter reads a filter: of the rows that follow the last one of a page, by the two fields of the sort, and of the
// posts of one author. It returns false for any other.
func (r *Request) parseFilter(text, first, second string) bool {
	if text == "" {
		return r.Collection != "posts"
	}
	if len(text) > maxFilterBytes { // it would be long to parse, and no budget was asked yet
		return false
	}
	groups, err := fexpr.Parse(text)
	if err != nil || len(groups) == 0 {
		return false
	}
	until := ""
	for _, condition := range appendConditions(nil, groups) {
		either, isGroup := condition.([]fexpr.ExprGroup)
		var value string
		switch {
		case isGroup:
			if len(either) != 2 || r.At != "" {
				return false
			}
			for _, one := range either {
				e := one.Item
				if inner, nested := e.([]fexpr.ExprGroup); nested && len(inner) == 1 {
					e = inner[0].Item
				}
				switch {
				case compares(e, first, fexpr.SignLt, &value) && r.At == "":
					r.At = value
				case compares(e, second, fexpr.SignLt, &value) && r.LastID == "":
					r.LastID = value
				default:
					return false
				}
			}
		case compares(condition, first, fexpr.SignLte, &value) && until == "":
			until = value
		case r.Collection == "posts" && compares(condition, "author", fexpr.SignEq, &value) && r.Author == "":
			r.Author = value
		default:
			return false
		}
	}
	return until == r.At && (r.Author != "") == (r.Collection == "posts")
}

// appendConditions appends the conditions that must all hold: each an [fexpr.Expr] or, for some of which one must hold, a
// []fexpr.ExprGroup.
func appendConditions(all []any, groups []fexpr.ExprGroup) []any {
	for _, g := range groups[1:] {
		if g.Join != fexpr.JoinAnd {
			return append(all, groups)
		}
	}
	for _, g := range groups {
		if inner, nested := g.Item.([]fexpr.ExprGroup); nested && len(inner) > 0 {
			all = appendConditions(all, inner)
		} else {
			all = append(all, g.Item)
		}
	}
	return all
}

// compares reports whether a condition is a comparison of a field with a text, and sets value to that.
func compares(condition any, field string, sign fexpr.SignOp, value *string) bool {
	e, ok := condition.(fexpr.Expr)
	*value = e.Right.Literal
	return ok && e.Op == sign && e.Left.Type == fexpr.TokenIdentifier && e.Left.Literal == field &&
		e.Right.Type == fexpr.TokenText && plainText.MatchString(e.Right.Literal)
}
