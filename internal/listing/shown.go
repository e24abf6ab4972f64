package listing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Collections returns the collections of the supported requests.
func Collections() []string { return slices.Sorted(maps.Keys(supportedRequests)) }

// ShownCollections returns the collection of a supported request, and then all whose records such a request may expand.
func ShownCollections(app core.App, name string) ([]*core.Collection, error) {
	root, err := app.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil, fmt.Errorf("find collection %q: %w", name, err)
	}
	shown := []*core.Collection{root}
	for _, expand := range supportedRequests[name].expands {
		for path := range strings.SplitSeq(expand, ",") {
			at := root
			for field := range strings.SplitSeq(path, ".") {
				relation, ok := at.Fields.GetByName(field).(*core.RelationField)
				if !ok { // no path, or a field that an owner has changed, which listing does not support
					break
				}
				if at, err = app.FindCachedCollectionByNameOrId(relation.CollectionId); err != nil {
					return nil, fmt.Errorf("find what %s.%s refers to: %w", name, path, err)
				}
				if !slices.Contains(shown, at) {
					shown = append(shown, at)
				}
			}
		}
	}
	return shown, nil
}
