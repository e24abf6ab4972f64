package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestNoStepIsUndoneByNothing asks each step for its way back: PocketBase calls a step that has none reverted.
func TestNoStepIsUndoneByNothing(t *testing.T) {
	for _, step := range core.AppMigrations.Items() {
		if step.Down == nil {
			t.Errorf("migrate down says that %s is reverted, and undoes nothing: give it refuseDown", step.File)
			continue
		}
		err := step.Down(nil) // which a refusal does not look at
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s refuses with %v", step.File, err)
		}
	}
}

// TestMigrateDownChangesNothing runs the command, and confirms what it asks.
func TestMigrateDownChangesNothing(t *testing.T) {
	t.Setenv("DOUBLETAP_DIR", filepath.Join(t.TempDir(), "data"))
	app := newProgram()
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	before := readStructure(t, app)
	for _, steps := range []string{"1", "7", "-1"} {
		answer := filepath.Join(t.TempDir(), "answer")
		if err := os.WriteFile(answer, []byte("y\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		stdin, err := os.Open(answer)
		if err != nil {
			t.Fatal(err)
		}
		former := os.Stdin
		os.Stdin = stdin
		// what is behind -- is no flag
		app.RootCmd.SetArgs([]string{"migrate", "--", "down", steps})
		err = app.RootCmd.Execute()
		os.Stdin = former
		stdin.Close()
		if err == nil || !strings.Contains(err.Error(), "the command leave gives the folder to a plain PocketBase") {
			t.Errorf("migrate down %s: %v", steps, err)
		}
		if after := readStructure(t, app); after != before {
			t.Errorf("migrate down %s changed the folder", steps)
		}
	}
}

// readStructure returns the schema, the collections and the applied steps of a folder as one text.
func readStructure(t *testing.T, app core.App) (text string) {
	t.Helper()
	err := app.DB().NewQuery(`SELECT (SELECT group_concat(sql) FROM sqlite_master) || (SELECT group_concat(file || applied) FROM _migrations) ||
		(SELECT group_concat(json_array(name, fields, indexes, options, listRule, viewRule, createRule, updateRule, deleteRule)) FROM _collections)`).Row(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
