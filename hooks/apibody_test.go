package hooks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestDescribedBodiesSucceed sends, to every collection, each body that the description lets a client send: with the
// required fields alone, with each other field, and with all of them. Somebody new sends each of them.
func TestDescribedBodiesSucceed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	document := apiDocument(t, s)
	sender := bodySender{T: t, Service: s, subjects: newSubjects(s.As("ada"))}
	for name, d := range describedCollections() {
		records := document.Paths.Find("/api/collections/" + name + "/records")
		if o := records.Post; o != nil {
			for _, body := range describedBodies(o) {
				sender.create(d, body)
			}
		}
		if one := document.Paths.Find("/api/collections/" + name + "/records/{id}"); one != nil && one.Patch != nil {
			for _, body := range describedBodies(one.Patch) {
				sender.update(d, body)
			}
		}
	}
	if sender.sent < 100 {
		t.Errorf("%d bodies were sent: the description has more", sender.sent)
	}
}

func describedCollections() map[string]collection.Descriptor {
	all := map[string]collection.Descriptor{}
	for _, d := range collection.All {
		if collectionHasClients[d.Name] {
			all[d.Name] = d
		}
	}
	return all
}

// describedBody is a body by its schema: which properties it has, and whether it is sent as a form.
type describedBody struct {
	schema *openapi3.Schema
	names  []string
	isForm bool
}

// describedBodies returns the bodies of an operation.
func describedBodies(o *openapi3.Operation) []describedBody {
	var all []describedBody
	for kind, content := range o.RequestBody.Value.Content {
		schemas := []*openapi3.Schema{content.Schema.Value}
		if of := content.Schema.Value.OneOf; len(of) > 0 {
			schemas = nil
			for _, one := range of {
				schemas = append(schemas, one.Value)
			}
		}
		for _, schema := range schemas {
			add := func(names ...string) {
				all = append(all, describedBody{schema, names, kind == "multipart/form-data"})
			}
			add(schema.Required...)
			for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
				if !slices.Contains(schema.Required, name) {
					add(append(append(slices.Clone(schema.Required), name), schema.DependentRequired[name]...)...)
				}
			}
			add(slices.Sorted(maps.Keys(schema.Properties))...)
		}
	}
	return all
}

// bodySender sends described bodies with values that fit.
type bodySender struct {
	*testing.T
	*hookstest.Service
	subjects rowSubjects
	sent     int
}

func (b *bodySender) create(d collection.Descriptor, body describedBody) {
	b.Helper()
	b.sent++
	who := b.Someone(b.sent)
	if d.Name == "users" {
		who = b.Guest()
	}
	b.requireSuccess(who, "POST", "/api/collections/"+d.Name+"/records", body, b.values(d, who, body))
}

func (b *bodySender) update(d collection.Descriptor, body describedBody) {
	b.Helper()
	b.sent++
	who := b.Someone(b.sent)
	id := ""
	switch d.Name {
	case "users":
		id = who.ID
	case "settings":
		id = who.List("settings", "")[0]["id"].(string)
	case "notifications":
		who.Like(b.subjects.post)
		who = b.As("ada")
		id = who.List("notifications", "sort=-latestAt")[0]["id"].(string)
	case "posts":
		id = who.Post("hello")
	case "follows":
		id = who.Follow("ada")
		if slices.Contains(body.names, "state") { // who is asked accepts
			who.Update("users", who.ID, map[string]any{"private": true})
			id = b.Someone(0).Create("follows", map[string]any{"followee": who.ID}).ID()
		}
	default:
		row := clientRows[d.Name](b.subjects)
		if d.Name == "devices" {
			row["endpoint"] = fmt.Sprintf("a-phone-of-many-others-%d", b.sent)
		}
		id = who.Create(d.Name, row).ID()
	}
	b.requireSuccess(who, "PATCH", "/api/collections/"+d.Name+"/records/"+id, body, b.values(d, who, body))
}

func (b *bodySender) requireSuccess(who *hookstest.Client, method, path string, body describedBody, values map[string]any) {
	b.Helper()
	var sent any = values
	if body.isForm {
		form := &hookstest.Upload{Fields: map[string]string{}, Files: map[string][]byte{}}
		for name, value := range values {
			switch value := value.(type) {
			case []byte:
				form.Files[name] = value
			case string:
				form.Fields[name] = value
			default:
				text, err := json.Marshal(value)
				if err != nil {
					b.Fatal(err)
				}
				form.Fields[name] = string(text)
			}
		}
		sent = form
	}
	if a := who.Do(method, path, sent); a.Status != 200 {
		b.Errorf("%s %s, which has %v as described, is answered %d: %s", method, path, body.names, a.Status, a.Raw)
	}
}

// values returns a value for each of the body's properties.
func (b *bodySender) values(d collection.Descriptor, who *hookstest.Client, body describedBody) map[string]any {
	relations := map[string]any{"users": b.subjects.user, "posts": b.subjects.post, "comments": b.subjects.comment, "stories": b.subjects.story}
	values := map[string]any{}
	for _, name := range body.names {
		schema := body.schema.Properties[name].Value
		switch {
		case name == d.Owner:
			values[name] = who.ID
		case name == "id":
			values[name] = fmt.Sprintf("client%09d", b.sent)
		case relations[relationOf(d, name)] != nil:
			values[name] = relations[relationOf(d, name)]
		case schema.Format == "binary", schema.Items != nil && schema.Items.Value.Format == "binary":
			values[name] = hookstest.Photo()
		default:
			values[name] = b.valueOf(name, schema)
		}
	}
	return values
}

func relationOf(d collection.Descriptor, field string) string {
	for _, relation := range d.Relations {
		if relation.Field == field {
			return relation.To
		}
	}
	return ""
}

// valueOf returns a value of a property that is no relation and no file. What its schema alone does not tell is here.
func (b *bodySender) valueOf(name string, schema *openapi3.Schema) any {
	switch name {
	case "password", "passwordConfirm":
		return "another-horse-" + fmt.Sprint(b.sent)
	case "oldPassword":
		return hookstest.Password
	case "email":
		return fmt.Sprintf("new%d@example.com", b.sent)
	case "handle":
		return fmt.Sprintf("new_%d", b.sent)
	case "endpoint":
		return fmt.Sprintf("a-phone-that-is-an-android-%d", b.sent)
	case "kind":
		return "fcm"
	case "quietFrom", "quietTo":
		return "22:30"
	case "timezone":
		return "Europe/Berlin"
	case "locale":
		return "de"
	case "until", "seenAt", "mutedUntil":
		return "2030-01-01 00:00:00.000Z"
	case "keys":
		return map[string]any{}
	case "notify":
		if schema.Type.Is("boolean") {
			return true
		}
		return map[string]any{"like": map[string]any{"push": false}}
	case "geo":
		return map[string]any{"lon": 8.5, "lat": 47.4}
	}
	switch {
	case schema.Const != nil:
		return schema.Const
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is("boolean"):
		return true
	case schema.Type.Is("array"):
		return []string{"a text"}
	case schema.Type.Is("null"):
		return nil
	case schema.Type.Is("string"):
		return strings.Repeat("x", int(max(schema.MinLength, 3)))
	}
	b.Fatalf("valueOf has nothing for %s", name)
	return nil
}

// collectionHasClients are the collections in which clients create or change something.
var collectionHasClients = func() map[string]bool {
	all := map[string]bool{"users": true, "settings": true, "notifications": true}
	for name := range clientRows {
		all[name] = true
	}
	return all
}()

// TestDescriptionAsStored compares the description with the one that the last review saw.
func TestDescriptionAsStored(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	var text bytes.Buffer
	if err := json.Indent(&text, []byte(s.Guest().Must(200, "GET", documentPath, nil).Raw), "", " "); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "openapi.json")
	if *updateFiles {
		requireSameFile(t, file, text.String())
		return
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(stored), "\n"), strings.Split(text.String(), "\n")
	for i := range is {
		if i >= len(was) || was[i] != is[i] {
			t.Fatalf("%s differs from line %d on; if that is meant, rewrite it with -update and let the review see it\n%s", file, i+1, strings.Join(is[max(0, i-3):min(len(is), i+4)], "\n"))
		}
	}
	if len(was) != len(is) {
		t.Errorf("%s has more lines than the description", file)
	}
}
