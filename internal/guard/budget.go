package guard

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
)

// What one request of a client may ask of PocketBase's query engine. docs/reads.md documents these limits.
const (
	maxFilterBytes      = 3500 // PocketBase's own limit, applied also where it has none
	maxFilterDepth      = 10
	maxFilterGroups     = 100 // parentheses, also those in texts: the parser reads the inside of each again
	maxFilterConditions = 100
	maxSortBytes        = 500
	maxSortNames        = 8
	maxExpandBytes      = 1000
	maxExpandPaths      = 10
	maxExpandHops       = 3
	maxFieldsBytes      = 2000
	maxFieldsNames      = 100
	maxAnswerRows       = 15000 // records in one answer, including those inside expand
)

// What a superuser may ask is limited only where it would take the process down.
const (
	maxSuperuserBytes = 64 << 10
	maxSuperuserDepth = 100
)

// RecordQuery is what a request asks of PocketBase's query engine.
type RecordQuery struct {
	// Collection is the one whose records are asked for, or nil if the route does not name it.
	Collection *core.Collection
	// OurCollection says that the records are those of a collection of ours although Collection is nil.
	OurCollection bool
	// IsPage says that the answer is a page of records, not a single one.
	IsPage bool
	// PrivateFields are fields of users that nobody is shown but the person; an adopted app has some.
	PrivateFields []string
	// Query is the URL's parameters. PocketBase reads the first value of each; all of them are checked.
	Query url.Values
}

// CheckQuery returns a 400 error, before PocketBase parses or runs anything, for what a guest or a user must not ask:
// what costs too much, back-relations from, to or by way of our collections, e-mail addresses and private fields, since the answer
// would depend on rows that the client may not see. What PocketBase cannot understand is left for PocketBase to
// refuse.
func CheckQuery(app core.App, q RecordQuery) error {
	for _, filter := range q.Query["filter"] {
		if err := checkFilter(app, q, filter); err != nil {
			return err
		}
	}
	for _, sort := range q.Query["sort"] {
		if err := checkSort(app, q, sort); err != nil {
			return err
		}
	}
	for _, fields := range q.Query["fields"] {
		if err := checkFields(fields); err != nil {
			return err
		}
	}
	for _, expand := range q.Query["expand"] {
		if err := checkExpand(app, q, expand); err != nil {
			return err
		}
	}
	return nil
}

// CheckSuperuserQuery returns a 400 error for what no dashboard asks and what would exhaust the process in the
// parsers.
func CheckSuperuserQuery(query url.Values) error {
	for _, name := range []string{"filter", "sort", "fields", "expand"} {
		for _, value := range query[name] {
			if len(value) > maxSuperuserBytes {
				return tooMuchError("%s may be at most %d bytes long.", name, maxSuperuserBytes)
			}
			if name == "filter" && strings.Count(value, "(") > maxSuperuserDepth {
				return tooMuchError("filter may have at most %d parentheses.", maxSuperuserDepth)
			}
		}
	}
	return nil
}

func tooMuchError(format string, a ...any) error {
	return fault.BadRequest(fmt.Sprintf("The request asks for too much: "+format, a...))
}

func checkFilter(app core.App, q RecordQuery, filter string) error {
	switch {
	case filter == "":
		return nil
	case len(filter) > maxFilterBytes:
		return tooMuchError("filter may be at most %d bytes long.", maxFilterBytes)
	case strings.Count(filter, "(") > maxFilterGroups:
		return tooMuchError("filter may have at most %d parentheses.", maxFilterGroups)
	case nestingDepth(filter) > maxFilterDepth:
		return tooMuchError("filter may be at most %d parentheses deep.", maxFilterDepth)
	}
	groups, err := fexpr.Parse(filter)
	if err != nil {
		return nil //nolint:nilerr // PocketBase refuses it
	}
	conditions, secret := 0, false
	eachCondition(groups, func(e fexpr.Expr) {
		conditions++
		for _, path := range append(identifierPaths(e.Left), identifierPaths(e.Right)...) {
			secret = secret || followPath(app, q, path, false).wouldLeak()
		}
	})
	switch {
	case secret:
		return fault.BadRequest("Invalid filter.")
	case conditions > maxFilterConditions:
		return tooMuchError("filter may have at most %d conditions.", maxFilterConditions)
	}
	return nil
}

// nestingDepth returns how deep the parentheses outside of texts are nested. A comment can hide parentheses from this
// count but not from the parser; maxFilterGroups limits those.
func nestingDepth(filter string) (deepest int) {
	depth, quote, escaped := 0, byte(0), false
	for i := range len(filter) {
		switch c := filter[i]; {
		case escaped:
			escaped = false
		case quote != 0 && c == '\\':
			escaped = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
			deepest = max(deepest, depth)
		case c == ')':
			depth--
		}
	}
	return deepest
}

func eachCondition(item any, visit func(fexpr.Expr)) {
	switch i := item.(type) {
	case []fexpr.ExprGroup:
		for _, group := range i {
			eachCondition(group.Item, visit)
		}
	case fexpr.ExprGroup:
		eachCondition(i.Item, visit)
	case fexpr.Expr:
		visit(i)
	}
}

// identifierPaths returns the paths that a token names, including those in the arguments of functions.
func identifierPaths(token fexpr.Token) (paths []string) {
	if token.Type == fexpr.TokenIdentifier {
		paths = append(paths, token.Literal)
	}
	arguments, _ := token.Meta.([]fexpr.Token)
	for _, argument := range arguments {
		paths = append(paths, identifierPaths(argument)...)
	}
	return paths
}

func checkSort(app core.App, q RecordQuery, sort string) error {
	if len(sort) > maxSortBytes || strings.Count(sort, ",") >= maxSortNames {
		return tooMuchError("sort may have at most %d names and %d bytes.", maxSortNames, maxSortBytes)
	}
	for name := range strings.SplitSeq(sort, ",") {
		if followPath(app, q, strings.TrimLeft(strings.TrimSpace(name), "+-"), false).wouldLeak() {
			return fault.BadRequest("Invalid sort field.")
		}
	}
	return nil
}

func checkFields(fields string) error {
	if len(fields) > maxFieldsBytes || strings.Count(fields, ",") >= maxFieldsNames {
		return tooMuchError("fields may have at most %d names and %d bytes.", maxFieldsNames, maxFieldsBytes)
	}
	return nil
}
