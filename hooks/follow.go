package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/guard"
)

func (s *Social) bindFollows() {
	s.app.OnRecordCreateExecute("follows").BindFunc(inTx(s.followStored))
	s.app.OnRecordUpdateExecute("follows").BindFunc(inTx(s.followAccepted))
	s.app.OnRecordDelete("follows").BindFunc(inTx(s.followRemoved))
}

// followStored decides in the transaction whether the followee is asked first: the account may be made private at the
// same time.
func (s *Social) followStored(tx core.App, e *core.RecordEvent) error {
	ev, err := newFollowEvent(tx, e.Record)
	if err != nil {
		return err
	}
	guard.SetDefault(e.Record, "state", graph.InitialState(ev.Followee))
	return runHook("OnFollow", &s.events.follow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.FollowStored(tx, e.Record)
	})
}

func (s *Social) followAccepted(tx core.App, e *core.RecordEvent) error {
	if !hasChanged(e.Record, "state") || e.Record.GetString("state") != graph.Accepted {
		return e.Next()
	}
	ev, err := newFollowEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return runHook("OnFollow", &s.events.follow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.FollowAccepted(tx, e.Record)
	})
}

func (s *Social) followRemoved(tx core.App, e *core.RecordEvent) error {
	ev, err := newFollowEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return runHook("OnUnfollow", &s.events.unfollow, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.FollowRemoved(tx, e.Record)
	})
}

func newFollowEvent(tx core.App, follow *core.Record) (*FollowEvent, error) {
	follower, err := db.RequireRecord(tx, "users", follow.GetString("follower"))
	if err != nil {
		return nil, err
	}
	followee, err := db.RequireRecord(tx, "users", follow.GetString("followee"))
	if err != nil {
		return nil, err
	}
	return &FollowEvent{App: tx, Follow: follow, Follower: follower, Followee: followee}, nil
}
