package command

import (
	"context"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// Structural are the checks of what everything else stands on: which collections there are, who may do what with
// them, and what the database does by itself.
var Structural = []string{"collections", "rules", "triggers", "indexes"}

// Structure returns what the structural checks find wrong with the data of a program whose migrations are applied.
func Structure(app core.App) (wrong []Finding) {
	structural := slices.DeleteFunc(installation(), func(i *reconcile.Invariant) bool { return !slices.Contains(Structural, i.Name) })
	for _, f := range findings(reconcile.Examine(context.Background(), app, structural, reconcile.Watch{})) {
		if f.State == Fail {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// Ships reports whether the program's own migrations give the collection the field.
func Ships(collection, field string) (bool, error) {
	shipped, err := ships()
	if err != nil {
		return false, fmt.Errorf("look whether %s.%s ships: %w", collection, field, err)
	}
	return slices.ContainsFunc(shipped.collections, func(c *core.Collection) bool {
		return c.Name == collection && c.Fields.GetByName(field) != nil
	}), nil
}
