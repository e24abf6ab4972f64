package hooks_test

import (
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// rowSubjects is what new rows are about: rows of others, which their creator may see.
type rowSubjects struct{ user, post, comment, story string }

// clientRows is what a client sends to create a row of each collection, without the row's owner. The tests that go
// through all collections take it from here.
var clientRows = map[string]func(on rowSubjects) jsonObject{
	"blocks":        func(on rowSubjects) jsonObject { return jsonObject{"blocked": on.user} },
	"comment_likes": func(on rowSubjects) jsonObject { return jsonObject{"comment": on.comment} },
	"comments":      func(on rowSubjects) jsonObject { return jsonObject{"post": on.post, "text": "hello"} },
	"devices": func(rowSubjects) jsonObject {
		return jsonObject{"kind": "fcm", "endpoint": "a-phone-that-is-an-android"}
	},
	"follows":     func(on rowSubjects) jsonObject { return jsonObject{"followee": on.user} },
	"likes":       func(on rowSubjects) jsonObject { return jsonObject{"post": on.post} },
	"mutes":       func(on rowSubjects) jsonObject { return jsonObject{"muted": on.user} },
	"posts":       func(rowSubjects) jsonObject { return jsonObject{"caption": "hello"} },
	"reports":     func(on rowSubjects) jsonObject { return jsonObject{"user": on.user} },
	"saves":       func(on rowSubjects) jsonObject { return jsonObject{"post": on.post} },
	"stories":     func(rowSubjects) jsonObject { return jsonObject{} },
	"story_views": func(on rowSubjects) jsonObject { return jsonObject{"story": on.story} },
}

func TestEveryCollectionOfClientsHasARow(t *testing.T) {
	t.Parallel()
	for _, d := range collection.All {
		if d.Owner != "" && clientRows[d.Name] == nil {
			t.Errorf("clientRows has no row of %s", d.Name)
		}
	}
}

// newSubjects stores something of ada's of each kind.
func newSubjects(ada *hookstest.Client) rowSubjects {
	post := ada.Post("hello")
	return rowSubjects{user: ada.ID, post: post, comment: ada.Comment(post, "", "hello"), story: ada.Story()}
}

// TestEveryEdgeIsAnEvent stores and removes each kind of edge, and waits for what a webhook is told of it.
func TestEveryEdgeIsAnEvent(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, name := range collection.EdgeNames() {
		t.Run(name, func(t *testing.T) {
			d := collection.Describe(name)
			verbs := d.Events.Verbs()
			types := make([]string, len(verbs))
			for i, verb := range verbs {
				types[i] = d.Events.Type(verb)
			}
			l := newWebhookService(t, map[string]any{"events": types})
			bob := l.As("bob")
			id := bob.Create(name, clientRows[name](newSubjects(l.As("ada")))).ID()
			l.expectEvents(d.Events.Type("created"))
			if d.Events.Deleted {
				bob.Delete(name, id)
				l.expectEvents(d.Events.Type("created"), d.Events.Type("deleted"))
			}
		})
	}
}
