package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/feed"
	"doubletap/internal/graph"
	"doubletap/internal/guard"
	"doubletap/internal/inbox"
	"doubletap/internal/notification"
)

func (s *Social) bindFollows() {
	s.app.OnRecordCreateExecute("follows").BindFunc(together(s.followStored))
	s.app.OnRecordUpdateExecute("follows").BindFunc(together(s.followAccepted))
	s.app.OnRecordDelete("follows").BindFunc(together(s.followRemoved))
}

// followStored decides in the transaction whether the followee is asked first: the account may be closed at the same time.
func (s *Social) followStored(tx core.App, e *core.RecordEvent) error {
	ev, err := followEvent(tx, e.Record)
	if err != nil {
		return err
	}
	guard.Default(e.Record, "state", graph.Initial(ev.Followee))
	return run("OnFollow", &s.events.follow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if e.Record.GetString("state") == graph.Accepted {
			if err := feed.Backfill(tx, ev.Follower.Id, ev.Followee.Id); err != nil {
				return err
			}
		}
		return notification.Followed(tx, e.Record)
	})
}

func (s *Social) followAccepted(tx core.App, e *core.RecordEvent) error {
	if !changed(e.Record, "state") || e.Record.GetString("state") != graph.Accepted {
		return e.Next()
	}
	ev, err := followEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return run("OnFollow", &s.events.follow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := feed.Backfill(tx, ev.Follower.Id, ev.Followee.Id); err != nil {
			return err
		}
		return notification.Accepted(tx, e.Record)
	})
}

func (s *Social) followRemoved(tx core.App, e *core.RecordEvent) error {
	ev, err := followEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return run("OnUnfollow", &s.events.unfollow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := feed.Remove(tx, ev.Follower.Id, ev.Followee.Id); err != nil {
			return err
		}
		inbox.RecheckPerson(tx, ev.Follower.Id)
		return notification.Unfollowed(tx, e.Record)
	})
}

func followEvent(tx core.App, follow *core.Record) (*FollowEvent, error) {
	follower, err := find(tx, "users", follow.GetString("follower"))
	if err != nil {
		return nil, err
	}
	followee, err := find(tx, "users", follow.GetString("followee"))
	if err != nil {
		return nil, err
	}
	return &FollowEvent{App: tx, Follow: follow, Follower: follower, Followee: followee}, nil
}
