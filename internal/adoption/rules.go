package adoption

import (
	"reflect"
	"strings"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The rules that PocketBase gives a users collection. Nobody has chosen them.
const (
	defaultOwnerRule = "id = @request.auth.id"
	defaultOpenRule  = ""
)

// userRule is one of the rules of users: its name, PocketBase's default and where a collection has it.
type userRule struct {
	name     string
	standard string
	of       func(c *core.Collection) **string
	isSight  bool // it says who is shown to whom
}

var userRules = []userRule{
	{"listRule", defaultOwnerRule, func(c *core.Collection) **string { return &c.ListRule }, true},
	{"viewRule", defaultOwnerRule, func(c *core.Collection) **string { return &c.ViewRule }, true},
	{"createRule", defaultOpenRule, func(c *core.Collection) **string { return &c.CreateRule }, false},
	{"updateRule", defaultOwnerRule, func(c *core.Collection) **string { return &c.UpdateRule }, false},
	{"deleteRule", defaultOwnerRule, func(c *core.Collection) **string { return &c.DeleteRule }, false},
	{"authRule", defaultOpenRule, func(c *core.Collection) **string { return &c.AuthRule }, false},
}

// isStandard reports whether the collection has PocketBase's default for the rule.
func (r userRule) isStandard(c *core.Collection) bool {
	rule := *r.of(c)
	return rule != nil && strings.TrimSpace(*rule) == r.standard
}

// keepsSight reports whether an owner has chosen who sees whom among the users. Both rules count as chosen if one of
// them is.
func keepsSight(users *core.Collection) bool {
	for _, r := range userRules {
		if r.isSight && !r.isStandard(users) {
			return true
		}
	}
	return false
}

// isKept reports whether the rule of the app stays in force beside ours.
func (r userRule) isKept(before *core.Collection) bool {
	if r.isSight {
		return keepsSight(before)
	}
	return !r.isStandard(before)
}

// bothRules returns the rule that lets in whom both rules let in. Each has lines of its own: a comment ends with its line.
func bothRules(theirs, ours *string) *string {
	switch {
	case theirs == nil || ours == nil:
		return nil
	case strings.TrimSpace(*theirs) == "":
		return ours
	case strings.TrimSpace(*ours) == "":
		return theirs
	}
	return types.Pointer("(\n" + *theirs + "\n) && (\n" + *ours + "\n)")
}

// combineRules gives users, which has our rules, those of before as well, where an owner has chosen them.
func combineRules(users, before *core.Collection) {
	for _, r := range userRules {
		if r.isKept(before) {
			*r.of(users) = bothRules(*r.of(before), *r.of(users))
		}
	}
}

// examineRules looks for rules that mean something else inside parentheses: PocketBase reads a parenthesis or a quote
// there even in a comment.
func (e *examination) examineRules() error {
	for _, r := range userRules {
		theirs, ours := *r.of(e.users), defaultOwnerRule
		if !r.isKept(e.users) || theirs == nil || strings.TrimSpace(*theirs) == "" {
			continue
		}
		alone, err := fexpr.Parse(*theirs)
		both, bothErr := fexpr.Parse(*bothRules(theirs, &ours))
		if err != nil || bothErr != nil || len(both) != 2 || both[1].Join != fexpr.JoinAnd || !reflect.DeepEqual(both[0].Item, alone) {
			e.clash("users", r.name, e.Users, "it cannot be joined with Doubletap's rule", "take the comments out of it")
		}
	}
	return nil
}
