package guard

import "github.com/pocketbase/pocketbase/core"

// ServiceCollections are the collections that Doubletap needs and looks after. All others are their owner's:
// PocketBase alone decides what happens to them.
var ServiceCollections = []string{
	"audit", "blocks", "comment_likes", "comments", "devices", "feed", "follows", "handles", "hashtags", "hidden_posts", "jobs", "likes", "mutes",
	"notification_events", "notifications", "post_tags", "posts", "reports", "retractions", "saves", "secrets", "settings", "stories",
	"story_views", "users", "webhook_deliveries", "webhooks",
}

// GuardedCollections are the collections whose records are written as BeginUpdate says: ours, and the superusers.
var GuardedCollections = append([]string{core.CollectionNameSuperusers}, ServiceCollections...)
