// Package effect is what an action causes: one function for each word, called in the transaction that stores the action
// once its row is stored or deleted. PocketBase's general path and the fast path call the same one.
package effect

import "github.com/pocketbase/pocketbase/core"

// Effect is what a row of a collection causes when it is stored and when it is removed; nil causes nothing.
type Effect struct {
	Stored, Removed func(tx core.App, row *core.Record) error
}

// Edges are the effects of edges around which no owner's hook runs, by collection: hooks binds them all in one way.
// The handlers of the other words call their effects themselves.
var Edges = map[string]Effect{
	"comment_likes": {Stored: commentLiked, Removed: notifyCommentUnliked},
}
