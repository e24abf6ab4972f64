package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMigrateMakesAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	t.Setenv("DOUBLETAP_DIR", dir)
	app := newProgram()
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	app.RootCmd.SetArgs([]string{"migrate", "up"})
	if err := app.RootCmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data.db")); err != nil {
		t.Error(err)
	}
	if _, err := app.FindCollectionByNameOrId("likes"); err != nil {
		t.Error("no likes after migrate up:", err)
	}
}
