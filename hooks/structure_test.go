package hooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// exportCollections returns the collections as the dashboard exports them.
func exportCollections(t *testing.T, s *hookstest.Service) []map[string]any {
	t.Helper()
	var all struct{ Items []map[string]any }
	answer := s.Admin().Must(200, "GET", "/api/collections?perPage=200", nil)
	if err := json.Unmarshal([]byte(answer.Raw), &all); err != nil {
		t.Fatal(err)
	}
	return all.Items
}

// TestNeededCollectionsStay tries every way in which the dashboard or code can take a collection away.
func TestNeededCollectionsStay(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	admin := s.Admin()
	all := exportCollections(t, s)
	for _, name := range collection.Names() {
		said := func(door string, answer hookstest.Answer) {
			t.Helper()
			if answer.Status != 400 || !strings.Contains(answer.Raw, "Doubletap needs the collection "+name+" ") && !strings.Contains(answer.Raw, "validation_collection_system_name_change") {
				t.Errorf("%s of %s: %d %s", door, name, answer.Status, answer.Raw)
			}
		}
		said("delete", admin.Do("DELETE", "/api/collections/"+name, nil))
		said("rename", admin.Do("PATCH", "/api/collections/"+name, map[string]any{"name": name + "_old"}))
		rest := slices.DeleteFunc(slices.Clone(all), func(c map[string]any) bool { return c["name"] == name })
		imported := admin.Do("PUT", "/api/collections/import", map[string]any{"collections": rest, "deleteMissing": true})
		collection, err := s.App.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatalf("%s is gone: %v", name, err)
		}
		if collection.System { // PocketBase keeps it, and the import goes through
			if imported.Status != 204 {
				t.Errorf("import without %s: %d %s", name, imported.Status, imported.Raw)
			}
		} else {
			said("import", imported)
		}
		if err := s.App.Delete(collection); err == nil {
			t.Errorf("code deleted %s", name)
		}
		for _, field := range collection.Fields {
			if field.GetSystem() {
				continue
			}
			changed, _ := s.App.FindCollectionByNameOrId(name)
			changed.Fields.RemoveById(field.GetId())
			if err := s.App.Save(changed); err == nil || !strings.Contains(err.Error(), "Doubletap needs the field "+name+"."+field.GetName()) {
				t.Errorf("remove %s.%s: %v", name, field.GetName(), err)
			}
			changed, _ = s.App.FindCollectionByNameOrId(name)
			changed.Fields.GetById(field.GetId()).SetName("renamed")
			if err := s.App.Save(changed); err == nil || !strings.Contains(err.Error(), "Doubletap needs the field "+name+"."+field.GetName()) {
				t.Errorf("rename %s.%s: %v", name, field.GetName(), err)
			}
		}
	}
	for _, c := range all { // as a merge does that knows fewer
		if c["name"] == "posts" {
			c["fields"] = []any{map[string]any{"name": "caption", "type": "number"}}
		}
	}
	if answer := admin.Do("PUT", "/api/collections/import", map[string]any{"collections": all}); answer.Status != 400 {
		t.Errorf("another type: %d %s", answer.Status, answer.Raw)
	}
	if answer := admin.Do("PUT", "/api/collections/import", map[string]any{"collections": all, "deleteMissing": true}); answer.Status != 400 || !strings.Contains(answer.Raw, "Doubletap needs the field posts.") {
		t.Errorf("fields of posts left out: %d %s", answer.Status, answer.Raw)
	}
	s.As("bob").Like(s.As("ada").Post("still here"))
}

// TestNeededFieldsHoldAsManyValues makes each field of ours that holds one value hold several, and each that holds
// several hold one, for which PocketBase would throw the others away.
func TestNeededFieldsHoldAsManyValues(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	admin, tried := s.Admin(), 0
	for _, c := range exportCollections(t, s) {
		name := c["name"].(string)
		fields := c["fields"].([]any)
		for i := range fields {
			field := maps.Clone(fields[i].(map[string]any))
			most, holdsValues := field["maxSelect"].(float64)
			if !holdsValues || !collection.IsOurs(name) {
				continue
			}
			tried++
			field["maxSelect"] = 2
			if most > 1 {
				field["maxSelect"] = 1
			}
			changed := slices.Clone(fields)
			changed[i] = field
			want := fmt.Sprintf("Doubletap needs the field %s.%s ", name, field["name"])
			for door, answer := range map[string]hookstest.Answer{
				"PATCH":  admin.Do("PATCH", "/api/collections/"+name, map[string]any{"fields": changed}),
				"import": admin.Do("PUT", "/api/collections/import", map[string]any{"collections": []any{map[string]any{"id": c["id"], "name": name, "fields": changed}}}),
			} {
				if answer.Status != 400 || !strings.Contains(answer.Raw, want) {
					t.Errorf("%s of %s.%s with maxSelect %v: %d %s", door, name, field["name"], field["maxSelect"], answer.Status, answer.Raw)
				}
			}
			if most > 1 { // how many is the owner's choice
				field["maxSelect"] = most + 1
				admin.Must(200, "PATCH", "/api/collections/"+name, map[string]any{"fields": changed})
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d fields were tried", tried)
	}
}

// TestNeededCollectionsAreNotEmptied tries the dashboard's "Truncate", by name and by id.
func TestNeededCollectionsAreNotEmptied(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.As("bob").Like(s.As("ada").Post("hello"))
	rows := func() (counts []int) {
		for _, name := range collection.Names() {
			counts = append(counts, s.Rows(name, "1"))
		}
		return counts
	}
	before := rows()
	for _, name := range collection.Names() {
		collection, err := s.App.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/api/collections/" + name + "/truncate", "/api/collections/" + collection.Id + "/truncate"} {
			if a := s.Admin().Do("DELETE", path, nil); a.Status != 400 || !strings.Contains(a.Raw, "Doubletap needs what is in the collection "+name+":") {
				t.Errorf("%s: %d %s", path, a.Status, a.Raw)
			}
			s.Guest().Must(401, "DELETE", path, nil)
			s.As("ada").Must(403, "DELETE", path, nil)
		}
	}
	if after := rows(); !slices.Equal(after, before) {
		t.Errorf("%d rows are left of %d", after, before)
	}
	owners := core.NewBaseCollection("notes")
	owners.Fields.Add(&core.TextField{Name: "text"})
	if err := s.App.Save(owners); err != nil {
		t.Fatal(err)
	}
	s.Admin().Create("notes", jsonObject{"text": "an owner's"})
	s.Admin().Must(204, "DELETE", "/api/collections/notes/truncate", nil)
	if n := s.Rows("notes", "1"); n != 0 {
		t.Errorf("%d rows are left of an owner's collection", n)
	}
}

// TestOwnersChangesGoThrough makes the changes that an owner may make to our collections and to their own.
func TestOwnersChangesGoThrough(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	admin := s.Admin()
	addNotes(t, s.App)
	posts, _ := s.App.FindCollectionByNameOrId("posts")
	posts.Fields.Add(&core.TextField{Name: "mood"})
	posts.Fields.GetByName("caption").(*core.TextField).Max = 500
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	posts, _ = s.App.FindCollectionByNameOrId("posts")
	posts.Fields.GetByName("mood").SetName("feeling")
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	posts.Fields.RemoveByName("feeling")
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	admin.Must(204, "PUT", "/api/collections/import", map[string]any{"collections": exportCollections(t, s), "deleteMissing": true})
	admin.Must(200, "PATCH", "/api/collections/notes", map[string]any{"name": "papers"})
	rest := slices.DeleteFunc(exportCollections(t, s), func(c map[string]any) bool { return c["name"] == "papers" })
	admin.Must(204, "PUT", "/api/collections/import", map[string]any{"collections": rest, "deleteMissing": true})
	if _, err := s.App.FindCollectionByNameOrId("papers"); err == nil {
		t.Error("the owner's collection stays")
	}
}

// TestSuspendedStayOut imports collections that reset the rules of users.
func TestSuspendedStayOut(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	admin, ready := s.Admin(), func() any { return s.Guest().Must(200, "GET", "/readyz", nil).Body["data"] }
	if data := ready(); len(data.(map[string]any)) != 0 {
		t.Errorf("a fresh service says %v", data)
	}
	bob := s.As("bob")
	admin.Must(200, "PATCH", "/api/collections/users/records/"+bob.ID, map[string]any{"state": "suspended"})
	admin.Must(204, "PUT", "/api/collections/import", map[string]any{"collections": []any{map[string]any{"name": "users", "authRule": ""}}})
	users, _ := s.App.FindCollectionByNameOrId("users")
	if users.AuthRule == nil || *users.AuthRule != "" {
		t.Fatal("the rule was not reset")
	}
	answer := s.Guest().Do("POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "bob", "password": hookstest.Password})
	if answer.Status != 403 || answer.Body["message"] != "The request doesn't satisfy the collection requirements to authenticate." {
		t.Errorf("a suspended account signs in: %d %s", answer.Status, answer.Raw)
	}
	token, _ := s.User("bob").NewAuthToken()
	bob.Token = token
	bob.Must(403, "POST", "/api/collections/users/auth-refresh", nil)
	s.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "carol", "password": hookstest.Password})
	admin.Must(200, "POST", "/api/collections/users/impersonate/"+bob.ID, map[string]any{"duration": 60})

	s.Advance(2e9)
	data, _ := ready().(map[string]any)
	if differs, _ := data["structure"].(map[string]any); differs["rules"] != 1.0 {
		t.Errorf("readyz says %v", data)
	}
}

// TestNotReadyWithoutACollection removes one below PocketBase.
func TestNotReadyWithoutACollection(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.Guest().Must(200, "GET", "/readyz", nil)
	if _, err := s.App.DB().NewQuery("DELETE FROM _collections WHERE name = {:name}").Bind(dbx.Params{"name": "mutes"}).Execute(); err != nil {
		t.Fatal(err)
	}
	s.Advance(2e9)
	if answer := s.Guest().Do("GET", "/readyz", nil); answer.Status != 503 || !strings.Contains(answer.Raw, "collections") {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}
