package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// doctorFindings returns what the doctor finds.
func doctorFindings(t *testing.T, app core.App) []cli.Finding {
	t.Helper()
	all, err := cli.Examine(t.Context(), app, reconcile.ExamineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// doctorRepairs returns what the doctor repairs, by check.
func doctorRepairs(t *testing.T, app core.App) map[string]int64 {
	t.Helper()
	done, _, err := cli.Repair(t.Context(), app, reconcile.ExamineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}
