package main

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
)

// makeExistingApp returns the data folder of an app without Doubletap: two users, and a collection with a row of
// each.
func makeExistingApp(t *testing.T, collection string) string {
	t.Helper()
	dir := t.TempDir()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	requireNoError(t, app.Bootstrap())
	requireNoError(t, app.RunSystemMigrations())
	users, err := app.FindCollectionByNameOrId("users")
	requireNoError(t, err)
	c := core.NewBaseCollection(collection)
	c.Fields.Add(&core.TextField{Name: "title"}, &core.RelationField{Name: "cook", CollectionId: users.Id, MaxSelect: 1})
	c.ListRule, c.ViewRule = types.Pointer(""), types.Pointer("")
	requireNoError(t, app.Save(c))
	for _, name := range []string{"nina", "omar"} {
		user := core.NewRecord(users)
		user.SetEmail(name + "@example.com")
		user.SetPassword(hookstest.Password)
		user.Set("name", name)
		requireNoError(t, app.Save(user))
		row := core.NewRecord(c)
		row.Set("title", name+"'s soup")
		row.Set("cook", user.Id)
		requireNoError(t, app.Save(row))
	}
	requireNoError(t, app.ClearBootstrap())
	return dir
}

func TestAnAppWithUsersAdopts(t *testing.T) {
	s := hookstest.Open(t, makeExistingApp(t, "recipes"))
	if n := s.Rows("users", "handle != '' AND state = 'active' AND role = 'member'"); n != 2 {
		t.Errorf("%d users have a handle and a state, want 2", n)
	}
	if n := s.Rows("settings", "1"); n != 2 {
		t.Errorf("%d settings, want 2", n)
	}
	token := s.Guest().Must(200, "POST", "/api/collections/users/auth-with-password",
		map[string]any{"identity": "nina@example.com", "password": hookstest.Password})
	nina := s.As(token.Body["record"].(map[string]any)["handle"].(string))
	omar, err := s.App.FindAuthRecordByEmail("users", "omar@example.com")
	requireNoError(t, err)
	s.As(omar.GetString("handle")).Like(nina.Post("soup"))
	s.ExpectTray(nina.Name, hookstest.Notification{Type: "like", Actors: 1})
	if n := len(s.Guest().List("recipes", "expand=cook")); n != 2 {
		t.Errorf("%d recipes, want 2", n)
	}
}

func TestAClashIsRefusedBeforeAnythingChanges(t *testing.T) {
	dir := makeExistingApp(t, "posts")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	hooks.Bind(app)
	requireNoError(t, app.Bootstrap())
	defer app.ClearBootstrap()
	was := schemaOf(t, app)
	err := app.RunAllMigrations()
	if err == nil || !strings.Contains(err.Error(), "posts (2 rows): the name is taken") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v, want one line that names posts", err)
	}
	if now := schemaOf(t, app); now != was {
		t.Errorf("the database changed from %s to %s", was, now)
	}
}

func schemaOf(t *testing.T, app core.App) string {
	t.Helper()
	var all string
	requireNoError(t, app.DB().NewQuery("SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name)").Row(&all))
	return all
}

func requireNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
