package hooks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// shapedFields are the JSON fields that a client writes and others read, each with values that fit and values that do
// not.
var shapedFields = []struct {
	collection, field string
	fit, unfit        []string
}{
	{"posts", "alts", []string{`["a sea"]`, `[]`, `null`, `["", "b"]`}, []string{`5`, `{"a":1}`, `[1]`, `[["a"]]`, `[null]`, `true`}},
	{"settings", "notify", []string{`{}`, `null`, `{"like":{"push":false,"mail":"now","from":"follows"}}`, `{"like":{}}`},
		[]string{`5`, `[]`, `"x"`, `{"like":5}`, `{"like":{"push":1}}`, `{"like":{"mail":"sometimes"}}`, `{"like":{"from":7}}`, `{"like":null}`}},
	{"devices", "keys", []string{`null`, `{"p256dh":"a","auth":"b"}`}, []string{`5`, `"x"`, `["a"]`, `{"auth":1}`}},
}

// createRow creates a row of ada's in a collection and returns its id.
func createRow(s *hookstest.Service, collection string) string {
	ada := s.As("ada")
	switch collection {
	case "posts":
		return ada.Post("look")
	case "settings":
		return ada.List("settings", "")[0]["id"].(string)
	}
	return ada.Create("devices", map[string]any{"kind": "webpush", "endpoint": "https://push.example.com/1"}).Body["id"].(string)
}

func TestStoredJSONIsAsDescribed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	document := apiDocument(t, s)
	for _, shaped := range shapedFields {
		id := createRow(s, shaped.collection)
		path := "/api/collections/" + shaped.collection + "/records/" + id
		for writer, c := range map[string]*hookstest.Client{"the owner": s.As("ada"), "a superuser": s.Admin()} {
			for _, value := range shaped.unfit {
				a := c.Do("PATCH", path, map[string]any{shaped.field: json.RawMessage(value)})
				if a.Status != 400 || !strings.Contains(a.Raw, `"`+shaped.field+`":{"code":"validation_shape"`) {
					t.Errorf("%s.%s = %s by %s: %d %s", shaped.collection, shaped.field, value, writer, a.Status, a.Raw)
				}
			}
			for _, value := range shaped.fit {
				a := c.Do("PATCH", path, map[string]any{shaped.field: json.RawMessage(value)})
				if a.Status != 200 {
					t.Errorf("%s.%s = %s by %s: %d %s", shaped.collection, shaped.field, value, writer, a.Status, a.Raw)
				}
			}
		}
		record := s.Record(shaped.collection, id)
		record.Set(shaped.field, 5)
		if err := s.App.Save(record); err == nil {
			t.Errorf("Go stored %s.%s = 5", shaped.collection, shaped.field)
		}
	}
	// every JSON field with a published shape that a client may send is in the table
	for name, schema := range document.Components.Schemas {
		if !strings.HasSuffix(name, "Update") && !strings.HasSuffix(name, "Create") {
			continue
		}
		for field, property := range schema.Value.Properties {
			kind := property.Value.Type
			if kind.Is("object") && field != "geo" || kind.Is("array") && property.Value.Items.Value.Format != "binary" && property.Value.Items.Value.Description == "" {
				known := false
				for _, shaped := range shapedFields {
					known = known || shaped.field == field && strings.HasPrefix(strings.ToLower(name), strings.ReplaceAll(shaped.collection, "_", ""))
				}
				if !known {
					t.Errorf("%s.%s has a shape that no test breaks", name, field)
				}
			}
		}
	}
}

func TestALoneDescriptionIsAList(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("look", "alts", "a sea")
	if got := s.Record("posts", post).GetString("alts"); got != `["a sea"]` {
		t.Errorf("alts: %s", got)
	}
}

func TestQuietHoursAndZoneAreChecked(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	path := "/api/collections/settings/records/" + ada.List("settings", "")[0]["id"].(string)
	for _, c := range []struct {
		body   map[string]any
		status int
		field  string
	}{
		{map[string]any{"quietFrom": "22:00"}, 400, "quietTo"},
		{map[string]any{"quietTo": "22:00"}, 400, "quietFrom"},
		{map[string]any{"quietFrom": "22:00", "quietTo": "07:00"}, 200, ""},
		{map[string]any{"quietTo": "08:00"}, 200, ""},
		{map[string]any{"quietTo": ""}, 400, "quietTo"},
		{map[string]any{"quietFrom": "", "quietTo": ""}, 200, ""},
		{map[string]any{"timezone": "Mars/Olympus"}, 400, "timezone"},
		{map[string]any{"timezone": "Local"}, 400, "timezone"},
		{map[string]any{"timezone": "../../etc/passwd"}, 400, "timezone"},
		{map[string]any{"timezone": "Pacific/Apia"}, 200, ""},
		{map[string]any{"timezone": ""}, 200, ""},
	} {
		a := ada.Do("PATCH", path, c.body)
		if a.Status != c.status || c.field != "" && !strings.Contains(a.Raw, fmt.Sprintf("%q:{", c.field)) {
			t.Errorf("%v: %d %s", c.body, a.Status, a.Raw)
		}
	}
}
