package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/visibility"
)

func (s *Social) bindBlocks() {
	s.app.OnRecordCreateExecute("blocks").BindFunc(inTx(s.blockStored))
	s.app.OnRecordCreateExecute("mutes").BindFunc(inTx(muteStored))
}

// blockStored separates two people, both ways: their follows, each other's posts in their feeds and their
// notifications of each other go. Likes and comments stay and are counted; the rules hide them.
func (s *Social) blockStored(tx core.App, e *core.RecordEvent) error {
	blocker, err := db.RequireRecord(tx, "users", e.Record.GetString("blocker"))
	if err != nil {
		return err
	}
	blocked, err := db.RequireRecord(tx, "users", e.Record.GetString("blocked"))
	if err != nil {
		return err
	}
	return runHook("OnBlock", &s.events.block, &BlockEvent{App: tx, Block: e.Record, Blocker: blocker, Blocked: blocked}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := graph.DeleteFollowsBetween(tx, blocker.Id, blocked.Id); err != nil {
			return err
		}
		inbox.RecheckPerson(tx, blocker.Id)
		inbox.RecheckPerson(tx, blocked.Id)
		return notification.RetractBetween(tx, blocker.Id, blocked.Id)
	})
}

func muteStored(tx core.App, e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	muter, muted := e.Record.GetString("muter"), e.Record.GetString("muted")
	if post := e.Record.GetString("post"); post != "" {
		inbox.FeedPostHidden(tx, muter, post)
		return nil
	}
	follows, err := visibility.IsFollower(tx, muter, muted)
	if err == nil && follows { // else the feed had nothing of them, and its deletes would tell which posts there are
		inbox.FeedAuthorLeft(tx, muter, muted)
	}
	return err
}
