package command

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// Structural are the checks of what everything else stands on: which collections there are, who may do what with
// them, and what the database does by itself.
var Structural = []string{"collections", "rules", "triggers", "indexes"}

// Structure returns what the structural checks find wrong with the data of a program whose migrations are applied.
func Structure(app core.App) []Finding {
	var wrong []Finding
	for _, c := range checks {
		if !slices.Contains(Structural, c.name) {
			continue
		}
		f := &reconcile.Found{}
		if err := c.look(app, f); err != nil {
			f.Fail(1, "could not look: %v", err)
		}
		if f.Failed > 0 {
			wrong = append(wrong, finding(c.name, f))
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
