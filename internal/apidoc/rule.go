package apidoc

import (
	"maps"
	"slices"
	"strings"

	"github.com/ganigeorgiev/fexpr"
)

// demand is one way in which a body can meet a rule: what it must send, what it must leave out, and what the values of
// some fields must be.
type demand struct {
	sent, unsent map[string]bool
	values       map[string]any // a text, a number's literal as a text, or a boolean
}

// maxDemands bounds what is worked out of a rule. Beyond it nothing is promised of the rule's alternatives.
const maxDemands = 64

// demandsOf returns the ways in which a body can meet a rule, as far as the rule's text tells. There is always one; the
// empty demand is met by every body. In the rule of a create, the names of fields stand for what is sent.
func demandsOf(rule string, creating bool) []demand {
	groups, err := fexpr.Parse(rule)
	if err != nil {
		return []demand{{}} // an empty rule
	}
	return demandsOfGroups(groups, creating)
}

// demandsOfGroups returns those of a list, in which "and" binds more than "or", as in SQL.
func demandsOfGroups(groups []fexpr.ExprGroup, creating bool) []demand {
	var alternatives []demand
	together := []demand{{}}
	for i, group := range groups {
		if i > 0 && group.Join == fexpr.JoinOr {
			alternatives, together = append(alternatives, together...), []demand{{}}
		}
		together = meetBoth(together, demandsOfItem(group.Item, creating))
	}
	return leastDemands(append(alternatives, together...))
}

func demandsOfItem(item any, creating bool) []demand {
	switch item := item.(type) {
	case []fexpr.ExprGroup:
		return demandsOfGroups(item, creating)
	case fexpr.Expr:
		return []demand{demandOf(item, creating)}
	}
	return []demand{{}}
}

// demandOf returns what one comparison asks of a body: the empty demand if it asks for nothing, or for more than can be
// told here.
func demandOf(e fexpr.Expr, creating bool) demand {
	name, ofBody := strings.CutPrefix(e.Left.Literal, "@request.body.")
	field, asksIsSet := strings.CutSuffix(name, ":isset")
	literal, isLiteral := literalOf(e.Right)
	plain := e.Left.Type == fexpr.TokenIdentifier && !strings.ContainsAny(field, ".:@") && (ofBody || creating)
	isEqual, isUnequal := e.Op == fexpr.SignEq, e.Op == fexpr.SignNeq
	switch {
	case !plain || !isLiteral || !isEqual && !isUnequal:
		return demand{}
	case asksIsSet && (literal == true) == isEqual, !asksIsSet && isUnequal && literal == "":
		return demand{sent: map[string]bool{field: true}}
	case asksIsSet, isEqual && literal == "":
		return demand{unsent: map[string]bool{field: true}}
	case isEqual && literal != false: // false is what a field is that was not sent
		return demand{sent: map[string]bool{field: true}, values: map[string]any{field: literal}}
	}
	return demand{}
}

// literalOf returns the value of an operand that has one.
func literalOf(t fexpr.Token) (value any, isLiteral bool) {
	switch {
	case t.Type == fexpr.TokenText, t.Type == fexpr.TokenNumber:
		return t.Literal, true
	case t.Literal == "true", t.Literal == "false":
		return t.Literal == "true", true
	}
	return nil, false
}

// meetBoth returns the ways in which both lists are met.
func meetBoth(a, b []demand) []demand {
	if len(a)*len(b) > maxDemands {
		return []demand{{}}
	}
	var all []demand
	for _, one := range a {
		for _, other := range b {
			both := demand{union(one.sent, other.sent), union(one.unsent, other.unsent), union(one.values, other.values)}
			if both.isPossible() && agree(one.values, other.values) {
				all = append(all, both)
			}
		}
	}
	return leastDemands(all)
}

func (d demand) isPossible() bool {
	for field := range d.sent {
		if d.unsent[field] {
			return false
		}
	}
	return true
}

func agree(a, b map[string]any) bool {
	for field, value := range a {
		if other, both := b[field]; both && other != value {
			return false
		}
	}
	return true
}

// leastDemands returns the demands without those that ask for all that another one asks for.
func leastDemands(all []demand) []demand {
	var least []demand
	for i, one := range all {
		if !slices.ContainsFunc(all[:i], func(d demand) bool { return one.asksFor(d) }) &&
			!slices.ContainsFunc(all[i+1:], func(d demand) bool { return one.asksFor(d) && !d.asksFor(one) }) {
			least = append(least, one)
		}
	}
	return least
}

// asksFor reports whether d asks for all that other asks for.
func (d demand) asksFor(other demand) bool {
	return includes(d.sent, other.sent) && includes(d.unsent, other.unsent) && includes(d.values, other.values)
}

func includes[V comparable](all, some map[string]V) bool {
	for field, value := range some {
		if has, there := all[field]; !there || has != value {
			return false
		}
	}
	return true
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return all
}
