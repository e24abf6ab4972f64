package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/command"
	"doubletap/internal/reconcile"
)

// examined is what the doctor finds.
func examined(t *testing.T, app core.App) []command.Finding {
	t.Helper()
	all, err := command.Examine(t.Context(), app, reconcile.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// repaired is what the doctor repairs, by check.
func repaired(t *testing.T, app core.App) map[string]int64 {
	t.Helper()
	done, _, err := command.Repair(t.Context(), app, reconcile.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}
