package hooks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

const partOfRequired = `{"data":{},"message":"Failed to delete record. Make sure that the record is not part of a required relation reference.","status":400}`

// addRequiredEntry adds an owner's collection with a required relation to one of ours, and a row of it.
func addRequiredEntry(t *testing.T, s *hookstest.Service, to string, many bool, ids ...string) *core.Record {
	t.Helper()
	target, err := s.App.FindCollectionByNameOrId(to)
	if err != nil {
		t.Fatal(err)
	}
	c := core.NewBaseCollection("entries_of_" + to)
	field := &core.RelationField{Name: "of", CollectionId: target.Id, Required: true, MaxSelect: 1}
	if many {
		c.Name, field.MaxSelect = "many_"+c.Name, 5
	}
	c.Fields.Add(field)
	entry := core.NewRecord(c)
	entry.Set("of", ids)
	for _, model := range []core.Model{c, entry} {
		if err := s.App.Save(model); err != nil {
			t.Fatal(err)
		}
	}
	return entry
}

// TestRequiredByAnOwner deletes what an owner's required relation points at: the answer is PocketBase's 400, and
// nothing happens.
func TestRequiredByAnOwner(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post, story := ada.Post("hello"), ada.Story()
	comment := ada.Comment(post, "", "hello")
	for _, test := range []struct {
		collection string
		many       bool
		id         string
		also       bool // it can be deleted by itself
	}{
		{"users", false, ada.ID, false}, {"users", true, ada.ID, false}, {"posts", false, post, true}, {"posts", true, post, true}, {"stories", false, story, true}, {"comments", false, comment, true},
	} {
		entry := addRequiredEntry(t, s, test.collection, test.many, test.id)
		refused := func(door string, answer hookstest.Answer) {
			t.Helper()
			if answer.Status != 400 || strings.TrimSpace(answer.Raw) != partOfRequired {
				t.Errorf("%s: %s: %d %s", entry.Collection().Name, door, answer.Status, answer.Raw)
			}
		}
		path := "/api/collections/users/records/" + ada.ID
		refused("the account itself", ada.Do("DELETE", path, nil))
		refused("a superuser", s.Admin().Do("DELETE", path, nil))
		if batch := s.Admin().Do("POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": "DELETE", "url": path}}}); batch.Status != 400 {
			t.Errorf("%s: batch: %d %s", entry.Collection().Name, batch.Status, batch.Raw)
		}
		if test.also {
			refused("the record", ada.Do("DELETE", "/api/collections/"+test.collection+"/records/"+test.id, nil))
		}
		if err := s.App.Delete(s.User("ada")); err == nil || s.User("ada").GetString("state") != "active" {
			t.Errorf("%s: code deleted the account: %v", entry.Collection().Name, err)
		}
		if n := s.Rows("jobs", "kind = 'account.erase'") + s.Rows("handles", "name = 'ada'"); n != 0 {
			t.Errorf("%s: something was begun", entry.Collection().Name)
		}
		ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
		if test.many { // the entry does not need this one alone
			other := map[string]string{"users": bob.ID, "posts": bob.Post("mine")}[test.collection]
			entry.Set("of", []string{test.id, other})
			if err := s.App.Save(entry); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := s.App.Delete(entry); err != nil {
			t.Fatal(err)
		}
	}
	ada.Must(204, "DELETE", "/api/collections/users/records/"+ada.ID, nil)
	s.RunJobs()
	if s.Record("users", ada.ID) != nil {
		t.Error("the account stays")
	}
}

// TestAnOwnerMakesRoom lets the owner's own hook delete what needs the account.
func TestAnOwnerMakesRoom(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	var entry *core.Record
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
		social.OnErase().BindFunc(func(e *hooks.AccountEvent) error {
			if err := e.App.Delete(entry); err != nil {
				return err
			}
			return e.Next()
		})
	})
	ada := s.As("ada")
	entry = addRequiredEntry(t, s, "users", false, ada.ID)
	ada.Must(204, "DELETE", "/api/collections/users/records/"+ada.ID, nil)
	s.RunJobs()
	if s.Record("users", ada.ID) != nil {
		t.Error("the account stays")
	}
}

// TestJobsKeepTheReason makes a job fail with an error that a client would see in other words.
func TestJobsKeepTheReason(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	broken := true
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordDelete("users").BindFunc(func(e *core.RecordEvent) error {
			if broken {
				return errors.New("the ledger is locked by accounting")
			}
			return e.Next()
		})
	})
	ada := s.As("ada")
	ada.Must(204, "DELETE", "/api/collections/users/records/"+ada.ID, nil)
	s.RunJobs()
	if n := s.Rows("jobs", "kind = 'account.erase' AND error LIKE '%the ledger is locked by accounting%'"); n != 1 {
		var said string
		_ = s.App.DB().NewQuery("SELECT error FROM jobs WHERE kind = 'account.erase'").Row(&said)
		t.Errorf("the job says %q", said)
	}
}
