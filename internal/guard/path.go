package guard

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
)

// backRelation is how PocketBase writes a relation that is followed backwards; olderBackRelation is another form that
// expand still accepts.
var (
	backRelation      = regexp.MustCompile(`^(\w+)_via_(\w+)$`)
	olderBackRelation = regexp.MustCompile(`^(\w+)\((\w+)\)$`)
)

// relationPath is where a path such as post.author leads through the collections.
type relationPath struct {
	backward    bool  // a relation is followed backwards
	touchesOurs bool  // it begins at, passes or reaches a collection of ours
	endsAtEmail bool  // it ends at the e-mail address of an auth collection
	readsHidden bool  // it reads a private field of users
	fanOuts     []int // how many records each relation may lead to
}

// isBackwardToOurs reports whether a relation from, to or by way of our collections is followed backwards.
func (t relationPath) isBackwardToOurs() bool { return t.backward && t.touchesOurs }

// wouldLeak reports whether a filter or sort by this path would depend on rows or addresses that the client may not
// see.
func (t relationPath) wouldLeak() bool { return t.isBackwardToOurs() || t.endsAtEmail || t.readsHidden }

// followPath follows a path through the collections as PocketBase does, up to a name that does not exist. In a filter,
// a field comes before a back-relation of the same name; in an expand, it is the other way round.
func followPath(app core.App, q RecordQuery, path string, expand bool) relationPath {
	at := q.Collection
	t := relationPath{touchesOurs: q.OurCollection}
	visit := func(c *core.Collection) {
		at = c
		t.touchesOurs = t.touchesOurs || c != nil && collection.IsOurs(c.Name)
	}
	visit(at)
	names := strings.Split(path, ".")
	for i, name := range names {
		var field core.Field
		if at != nil {
			bare, _, _ := strings.Cut(name, ":") // without a modifier
			field = at.Fields.GetByName(bare)
			// from an owner's own collection too: PocketBase shows a filter whom the list rule of users shows, who are all now
			t.readsHidden = t.readsHidden || at.Name == "users" && slices.Contains(q.PrivateFields, bare)
		}
		if from, by, back := splitBackRelation(name); back && (expand || field == nil) {
			t.backward = true
			t.fanOuts = append(t.fanOuts, guessedFanOut)
			source := findCollection(app, from)
			visit(source)
			if source == nil {
				return t
			}
			relation, _ := source.Fields.GetByName(by).(*core.RelationField)
			if relation != nil {
				visit(findCollection(app, relation.CollectionId))
			}
			at = source
			continue
		}
		if relation, is := field.(*core.RelationField); is {
			t.fanOuts = append(t.fanOuts, min(max(relation.MaxSelect, 1), guessedFanOut))
			if i < len(names)-1 || expand {
				visit(findCollection(app, relation.CollectionId))
			}
			continue
		}
		if field != nil {
			t.endsAtEmail = at.IsAuth() && field.GetName() == core.FieldNameEmail
			return t
		}
		at = nil // unknown collection: beyond it, only names of back-relations say anything
	}
	return t
}

func splitBackRelation(name string) (collection, field string, back bool) {
	for _, pattern := range []*regexp.Regexp{backRelation, olderBackRelation} {
		if found := pattern.FindStringSubmatch(name); found != nil {
			return found[1], found[2], true
		}
	}
	return "", "", false
}

func findCollection(app core.App, name string) *core.Collection {
	c, err := app.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil // treated as not existing; PocketBase will meet the error again
	}
	return c
}
