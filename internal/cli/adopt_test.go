package cli_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/adoption"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// plainFolder is the data folder of a PocketBase without Doubletap, with a user and whatever else make adds.
func plainFolder(t *testing.T, make func(app core.App, users *core.Collection) error) string {
	t.Helper()
	dir := t.TempDir()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer closeApp(t, app)
	if err := app.RunSystemMigrations(); err != nil {
		t.Fatal(err)
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	if err := make(app, users); err != nil {
		t.Fatal(err)
	}
	user := core.NewRecord(users)
	user.SetEmail("ann@example.com")
	user.SetPassword("correct horse")
	user.Set("phone", "555")
	if err := app.Save(user); err != nil {
		t.Fatal(err)
	}
	return dir
}

func addPhone(app core.App, users *core.Collection) error {
	users.Fields.Add(&core.TextField{Name: "phone"})
	return app.Save(users)
}

// TestAdoptCommandTellsAndAdopts checks a folder, adopts it, and checks it again.
func TestAdoptCommandTellsAndAdopts(t *testing.T) {
	testenv.SkipSequential(t)
	dir := plainFolder(t, addPhone)
	for range 2 { // looking changes nothing
		out, err := runCommand(t, dir, "adopt", "--check", "--json")
		var plan adoption.Plan
		if err := json.Unmarshal([]byte(out), &plan); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		private := slices.ContainsFunc(plan.Changes, func(c adoption.Change) bool { return c.Field == "email, phone" && c.Rows == 1 })
		if err != nil || plan.Adopted || plan.Users != 1 || len(plan.Clashes) > 0 || !private {
			t.Errorf("the plan is %v, %s", err, out)
		}
	}
	if out, err := runCommand(t, dir, "adopt"); err != nil || !strings.Contains(out, "users.email, phone (1 row): for the person and superusers alone") {
		t.Errorf("adopting: %v\n%s", err, out)
	}
	if out, err := runCommand(t, dir, "adopt", "--check"); err != nil || !strings.HasPrefix(out, "The folder has Doubletap already.") {
		t.Errorf("an adopted folder: %v\n%s", err, out)
	}
	if out, err := runCommand(t, dbtest.MigratedFolder(t), "adopt"); err != nil || !strings.HasPrefix(out, "The folder has Doubletap already.") {
		t.Errorf("a folder of Doubletap's: %v\n%s", err, out)
	}
}

// TestAdoptCommandNamesClashes has a name that is taken.
func TestAdoptCommandNamesClashes(t *testing.T) {
	testenv.SkipSequential(t)
	dir := plainFolder(t, func(app core.App, users *core.Collection) error {
		if err := addPhone(app, users); err != nil {
			return err
		}
		return app.Save(core.NewBaseCollection("likes"))
	})
	for _, args := range [][]string{{"adopt", "--check"}, {"adopt"}} {
		out, err := runCommand(t, dir, args...)
		if err == nil || err.Error() != "adopt: 1 things have to be decided first; nothing is changed" || !strings.Contains(out, "likes (0 rows): the name is taken") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestAdoptingKnowsAllTables compares the names that an app cannot have with the tables of a fresh folder.
func TestAdoptingKnowsAllTables(t *testing.T) {
	testenv.SkipSequential(t)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dbtest.MigratedFolder(t)})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer closeApp(t, app)
	var tables []string
	err := app.DB().NewQuery(`SELECT name FROM pragma_table_list WHERE type IN ('table', 'view', 'virtual') AND schema = 'main' AND name NOT GLOB '[_]*' AND name NOT GLOB 'sqlite_*'`).Column(&tables)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		if name != "users" && !slices.Contains(adoption.TakenNames(), name) {
			t.Errorf("an app with a table %s is not refused", name)
		}
	}
}

// TestAdoptingKnowsAllIndexes compares the names that an app's indexes cannot have with those of a fresh folder.
func TestAdoptingKnowsAllIndexes(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dbtest.MigratedFolder(t)})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer closeApp(t, app)
	var names []string
	err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'index' AND sql != '' AND tbl_name NOT GLOB '[_]*' AND name NOT GLOB '*__pb_users_auth_' ORDER BY name`).Column(&names)
	if err != nil {
		t.Fatal(err)
	}
	if want := adoption.IndexNames(); !slices.Equal(names, want) {
		t.Errorf("a fresh folder has the indexes %v, an app's may not have the names %v", names, want)
	}
}

// TestDoctorKnowsAdoptedRules has a rule of the app's own, with a comment, that stays in force beside ours.
func TestDoctorKnowsAdoptedRules(t *testing.T) {
	testenv.SkipSequential(t)
	dir := plainFolder(t, func(app core.App, users *core.Collection) error {
		rule := "verified = true // those we know"
		users.ListRule, users.ViewRule = &rule, &rule
		return app.Save(users)
	})
	if out, err := runCommand(t, dir, "adopt"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, _ := runCommand(t, dir, "doctor")
	if !strings.Contains(out, "users.listRule lets in fewer than what ships") || strings.Contains(out, "users.listRule differs") {
		t.Errorf("doctor says\n%s", out)
	}
}
