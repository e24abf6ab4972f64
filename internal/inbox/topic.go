package inbox

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// The collections that the inbox speaks of. Each row of the first three belongs to one person.
const (
	notifications = "notifications"
	settings      = "settings"
	feed          = "feed"
	posts         = "posts"
)

const every = "*" // row of a topic

// topic is one thing that a device listens to.
type topic struct {
	name       string // as subscribed, options and all: the device waits for events of this name
	collection string
	row        string // an id, or every
	options    subscriptions.SubscriptionOptions
}

func (t topic) is(collection, row string) bool {
	return t.collection == collection && (t.row == every || t.row == row)
}

// topics returns those of the subscriptions that concern the inbox.
func topics(app core.App, subs []string) []topic {
	names := map[string]string{}
	for _, name := range []string{notifications, settings, feed, posts} {
		names[name] = name
		if c, err := app.FindCachedCollectionByNameOrId(name); err == nil {
			names[c.Id] = name // PocketBase takes either
		}
	}
	parser := subscriptions.NewDefaultClient() // so that options mean what they mean to PocketBase
	parser.Subscribe(subs...)
	var found []topic
	for sub, options := range parser.Subscriptions() {
		path, _, _ := strings.Cut(sub, "?")
		name, row, whole := strings.Cut(path, "/")
		if !whole {
			row = every // the bare name is PocketBase's older word for it
		}
		if names[name] != "" && row != "" && !(names[name] == posts && row == every) {
			if len(options.Query)+len(options.Headers) == 0 {
				options = subscriptions.SubscriptionOptions{} // two empty maps for each topic of each device add up
			}
			found = append(found, topic{name: sub, collection: names[name], row: row, options: options})
		}
	}
	return slices.Clip(found)
}

// without returns the subscriptions that are left for PocketBase: all but the personal topics.
func without(subs []string, ours []topic) []string {
	return slices.DeleteFunc(slices.Clone(subs), func(sub string) bool {
		return slices.ContainsFunc(ours, func(t topic) bool { return t.name == sub && t.collection != posts })
	})
}
