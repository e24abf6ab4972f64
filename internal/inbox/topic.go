package inbox

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/collection"
)

// The collections of which each row belongs to one person; nobody but that person's devices and superusers is sent it.
const (
	notifications = "notifications"
	settings      = "settings"
	feed          = "feed"
)

var personalCollections = []string{notifications, settings, feed}

const posts = "posts"

const everyRow = "*" // as row of a topic: all rows

// topic is one thing that a device asked to be sent: a collection or one of its rows, with options.
type topic struct {
	name       string // as subscribed, with its options: the device waits for events of this name
	collection string
	row        string // an id, or everyRow
	options    subscriptions.SubscriptionOptions
}

// rowKey is what a topic is about, without its options.
type rowKey struct{ collection, row string }

func (t topic) rowKey() rowKey { return rowKey{t.collection, t.row} }

func (t topic) isPersonal() bool { return slices.Contains(personalCollections, t.collection) }

func (t topic) concerns(collection, row string) bool {
	return t.collection == collection && (t.row == everyRow || t.row == row)
}

// isOurCollection reports whether the inbox sends the collection's changes. Else PocketBase's broadcast does, which
// checks the rules for each subscriber while the writer waits; only owners' collections are left to it.
func isOurCollection(c *core.Collection) bool {
	return c.System || collection.IsOurs(c.Name)
}

// parseTopics returns those of the subscriptions that are about our collections.
func parseTopics(app core.App, subs []string) []topic {
	parser := subscriptions.NewDefaultClient() // so that options mean what they mean to PocketBase
	parser.Subscribe(subs...)
	var found []topic
	for sub, options := range parser.Subscriptions() {
		path, _, _ := strings.Cut(sub, "?")
		name, row, hasRow := strings.Cut(path, "/")
		if !hasRow {
			row = everyRow // in PocketBase the bare name is the older form of it
		}
		c, err := app.FindCachedCollectionByNameOrId(name)
		if err != nil || name != c.Name && name != c.Id || !isOurCollection(c) { // PocketBase takes name or id, exactly as written
			continue
		}
		if len(options.Query)+len(options.Headers) == 0 {
			options = subscriptions.SubscriptionOptions{} // saves two empty maps for each topic of each device
		}
		found = append(found, topic{name: sub, collection: c.Name, row: row, options: options})
	}
	return slices.Clip(found)
}

// withoutTopics returns the subscriptions that are left for PocketBase.
func withoutTopics(subs []string, ours []topic) []string {
	return slices.DeleteFunc(slices.Clone(subs), func(sub string) bool {
		return slices.ContainsFunc(ours, func(t topic) bool { return t.name == sub })
	})
}
