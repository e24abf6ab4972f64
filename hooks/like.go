package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/inbox"
	"doubletap/internal/notification"
)

func (s *Social) bindLikes() {
	s.app.OnRecordCreateExecute("likes").BindFunc(together(s.likeStored))
	s.app.OnRecordDelete("likes").BindFunc(together(s.likeRemoved))
}

// likeStored keeps the like, the post's count and the owner's notification
// together: all three are stored, or none. The count is a trigger's.
func (s *Social) likeStored(tx core.App, e *core.RecordEvent) error {
	ev, err := likeEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return run(&s.events.like, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		inbox.Touched(tx, ev.Post.Id)
		return notification.Liked(tx, ev.Like, ev.Post)
	})
}

func (s *Social) likeRemoved(tx core.App, e *core.RecordEvent) error {
	ev, err := likeEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return run(&s.events.unlike, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		inbox.Touched(tx, ev.Post.Id)
		return notification.Unliked(tx, ev.Like)
	})
}

func likeEvent(tx core.App, like *core.Record) (*LikeEvent, error) {
	post, err := find(tx, "posts", like.GetString("post"))
	if err != nil {
		return nil, err
	}
	owner, err := find(tx, "users", post.GetString("author"))
	if err != nil {
		return nil, err
	}
	user, err := find(tx, "users", like.GetString("user"))
	if err != nil {
		return nil, err
	}
	return &LikeEvent{App: tx, Like: like, Post: post, Owner: owner, User: user}, nil
}
