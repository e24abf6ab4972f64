package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/reconcile"
)

// StructuralChecks are the checks on which everything else depends: which collections there are, who may do what with
// them, and what the database does by itself.
var StructuralChecks = []string{"collections", "rules", "triggers", "indexes"}

// CheckStructure returns what the structural checks find wrong with the data of a program whose migrations are applied. That one of them
// could not look is an error: nothing is known to be missing then.
func CheckStructure(ctx context.Context, app core.App) (wrong []Finding, err error) {
	structural := slices.DeleteFunc(folderInvariants(), func(i *reconcile.Invariant) bool { return !slices.Contains(StructuralChecks, i.Name) })
	results := reconcile.Examine(ctx, app, structural, reconcile.ExamineOptions{})
	for _, result := range results {
		if result.Err != nil {
			return nil, fmt.Errorf("look at the %s: %w", result.Name, result.Err)
		}
	}
	for _, f := range groupFindings(results) {
		if f.State == StateFail {
			wrong = append(wrong, f)
		}
	}
	return wrong, nil
}

// HasShippedField reports whether the program's own migrations give the collection the field.
func HasShippedField(collection, field string) (bool, error) {
	shipped, err := shippedSchema()
	if err != nil {
		return false, fmt.Errorf("look whether %s.%s ships: %w", collection, field, err)
	}
	return slices.ContainsFunc(shipped.Collections, func(c *core.Collection) bool {
		return c.Name == collection && c.Fields.GetByName(field) != nil
	}), nil
}
