// Package effect is what an action causes: one function for each word, called in the transaction that stores the action
// once its row is stored or deleted. PocketBase's general path and the fast path call the same one. Counters and the
// search index follow by triggers, and webhooks hear of the rows themselves: all else that commits together with a word
// is here, or in the package of the word that is called from here.
package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/inbox"
)

// Effect is what a row of a collection causes when it is stored, changed and removed; nil causes nothing.
type Effect struct {
	Stored, Changed, Removed func(tx core.App, row *core.Record) error
}

// OfRows are the effects of rows around which no owner's hook runs, by collection: hooks binds them all in one way. The
// handlers of the other words call their effects themselves.
var OfRows = map[string]Effect{
	"comment_likes": {Stored: commentLiked, Removed: notifyCommentUnliked},
	"mutes":         {Stored: muteStored},
	"settings":      {Changed: settingsChanged},
}

// settingsChanged shows the settings on the person's other devices.
func settingsChanged(tx core.App, settings *core.Record) error {
	inbox.PersonRowChanged(tx, settings.GetString("user"), "settings")
	return nil
}
