package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/feed"
)

// bindFeed lets people hide a post by deleting its row of the feed. The rows themselves cannot be written: they follow
// from follows and posts.
func (s *Social) bindFeed() {
	s.app.OnRecordDeleteRequest("feed").BindFunc(answerErrors(hideFeedRow))
	s.app.OnRecordCreate("feed").BindFunc(refuseFeedRow)
	s.app.OnRecordUpdate("feed").BindFunc(refuseFeedRow)
}

func hideFeedRow(e *core.RecordRequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error { return feed.HideRow(tx, e.Record) })
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

func refuseFeedRow(*core.RecordEvent) error {
	return fault.BadRequest("A feed has the posts of those whom its viewer follows: its rows cannot be written.")
}
