package hooks

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/visibility"
)

func (s *Social) bindViewer() {
	s.app.OnRecordEnrich("posts").BindFunc(answerErrors(enrichBatched(enrichPosts)))
	s.app.OnRecordEnrich("users").BindFunc(answerErrors(enrichBatched(enrichUsers)))
}

// enrichmentKeys returns for each user a key of what enrichPosts and enrichUsers add to the record for them: equal
// keys mean equal additions. It returns false if it does not know all that is added, as when an owner's handlers add
// something.
func (s *Social) enrichmentKeys(record *core.Record, users []string) (map[string]string, bool, error) {
	if len(handlersBoundTo(s.hooks.enrich, record.Collection())) > 0 {
		return nil, false, nil
	}
	keys := make(map[string]string, len(users))
	for _, user := range users {
		keys[user] = ""
	}
	c := record.Collection()
	switch {
	case c.IsAuth() && c.Name != "users", c.ManageRule != nil:
		return nil, false, nil // whoever manages an account sees its address
	case c.Name == "users":
		relationships, err := visibility.ReadRelationshipsByViewer(s.app, record.Id, users, clock.Timestamp(s.app))
		if err != nil {
			return nil, false, err
		}
		for user, r := range relationships {
			keys[user] = fmt.Sprint(r, user == record.Id) // who sees their own address
		}
	case c.Name == "posts":
		edges, err := visibility.ReadPostEdgesByUser(s.app, record.Id, users)
		if err != nil {
			return nil, false, err
		}
		for user, e := range edges {
			keys[user] = strings.Join(e, "/")
		}
	}
	return keys, true, nil
}

// enrichBatched returns a handler that collects the records of one list and calls fill once for all of them.
// PocketBase enriches a list by nesting: the event of the first record is still open when the last one's is done, and
// all share one event.
func enrichBatched(fill func(app core.App, me string, records []*core.Record) error) func(*core.RecordEnrichEvent) error {
	var mu sync.Mutex
	lists := map[*core.RecordEnrichEvent]*[]*core.Record{}
	return func(e *core.RecordEnrichEvent) error {
		mu.Lock()
		list, nested := lists[e]
		if !nested {
			list = new([]*core.Record)
			lists[e] = list
		}
		mu.Unlock()
		*list = append(*list, e.Record)
		err := e.Next()
		if !nested {
			mu.Lock()
			delete(lists, e)
			mu.Unlock()
		}
		if err != nil || *list == nil {
			return err
		}
		records := *list
		*list = nil // the innermost fills for all
		for _, record := range records {
			record.WithCustomData(true)
			record.Hide(backRelations(e.RequestInfo)...)
		}
		return fill(e.App, callerID(e.RequestInfo), records)
	}
}

// backRelations returns the names under which PocketBase keeps the ids of a back-relation that is expanded, seen or
// not, as custom data of the record. They must not be shown with ours.
func backRelations(info *core.RequestInfo) []string {
	var names []string
	for name := range strings.FieldsFuncSeq(info.Query["expand"], func(r rune) bool { return r == ',' || r == '.' }) {
		if strings.Contains(name, "_via_") || strings.Contains(name, "(") {
			names = append(names, strings.ReplaceAll(name, " ", "")) // as PocketBase reads it
		}
	}
	return names
}

// callerID returns the id of the users record that asks, or empty.
func callerID(info *core.RequestInfo) string {
	if info == nil || info.Auth == nil || info.Auth.Collection().Name != "users" {
		return ""
	}
	return info.Auth.Id
}

func enrichPosts(app core.App, me string, posts []*core.Record) error {
	edges := map[string]visibility.PostEdges{}
	if me != "" {
		var err error
		if edges, err = visibility.ReadPostEdges(app, me, recordIDs(posts)); err != nil {
			return err
		}
	}
	for _, post := range posts {
		values := edges[post.Id]
		if values == nil { // a guest's
			values = make(visibility.PostEdges, len(visibility.PostFields))
		}
		for i, field := range visibility.PostFields {
			post.Set(field.Name, values[i])
		}
	}
	return nil
}

func enrichUsers(app core.App, me string, users []*core.Record) error {
	relationships := map[string]visibility.Relationship{}
	if me != "" {
		var err error
		if relationships, err = visibility.ReadRelationships(app, me, recordIDs(users), clock.Timestamp(app)); err != nil {
			return err
		}
	}
	for _, user := range users {
		user.Set(visibility.RelationshipName, relationships[user.Id])
	}
	return nil
}

func recordIDs(records []*core.Record) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.Id
	}
	return all
}
