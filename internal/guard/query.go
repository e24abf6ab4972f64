package guard

import (
	"strings"

	"github.com/ganigeorgiev/fexpr"

	"doubletap/internal/fault"
)

// Query refuses what clients other than superusers must not ask for in a filter or a sort. Rows that one may not
// see still decide such a question, so the answer would tell of them: back-relations, and
// e-mail addresses that are not shown. What cannot be parsed is PocketBase's to refuse.
func Query(filter, sort string) error {
	for name := range strings.SplitSeq(sort, ",") {
		if secret(strings.TrimLeft(strings.TrimSpace(name), "+-")) {
			return fault.Refused("Invalid sort field.")
		}
	}
	groups, err := fexpr.Parse(filter)
	if err == nil && asksSecret(groups) {
		return fault.Refused("Invalid filter.")
	}
	return nil
}

func asksSecret(item any) bool {
	switch i := item.(type) {
	case []fexpr.ExprGroup:
		for _, group := range i {
			if asksSecret(group.Item) {
				return true
			}
		}
	case fexpr.ExprGroup:
		return asksSecret(i.Item)
	case fexpr.Expr:
		return names(i.Left) || names(i.Right)
	}
	return false
}

// names reports whether a token, or an argument of a function, names what must not be asked for.
func names(token fexpr.Token) bool {
	if arguments, ok := token.Meta.([]fexpr.Token); ok {
		for _, argument := range arguments {
			if names(argument) {
				return true
			}
		}
	}
	return token.Type == fexpr.TokenIdentifier && secret(token.Literal)
}

func secret(path string) bool {
	last := path[strings.LastIndex(path, ".")+1:]
	name, _, _ := strings.Cut(last, ":") // a modifier
	return strings.Contains(path, "_via_") || strings.EqualFold(name, "email")
}
