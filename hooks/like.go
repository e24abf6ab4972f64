package hooks

import (
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/deliver/webhook"
	"doubletap/internal/fault"
	"doubletap/internal/inbox"
	"doubletap/internal/like"
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
	return run("OnLike", &s.events.like, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		inbox.Touched(tx, ev.Post.Id)
		return notification.Liked(tx, ev.User.Id, ev.Post.Id, ev.Owner.Id)
	})
}

func (s *Social) likeRemoved(tx core.App, e *core.RecordEvent) error {
	ev, err := likeEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return run("OnUnlike", &s.events.unlike, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		inbox.Touched(tx, ev.Post.Id)
		return notification.Unliked(tx, ev.User.Id, ev.Post.Id, ev.Owner.Id)
	})
}

// likeTapped is the fast path of a like, from the request to the answer.
func (s *Social) likeTapped(e *core.RequestEvent, likes *core.Collection, post string) error {
	tapped, allowed := (*like.Like)(nil), false
	err := s.writer.Do(func(tx core.App) (err error) {
		tapped = like.Of(likes, post, e.Auth.Id)
		if allowed, err = tapped.Look(tx, e.Auth); err != nil || !allowed || tapped.Stored() {
			return err
		}
		return aroundLike("OnLike", &s.events.like, tx, likes, tapped, func() error {
			if err := tapped.Store(tx); err != nil {
				return err
			}
			inbox.Touched(tx, post)
			inbox.WrittenBySQL(tx, "create", likes.Name, tapped.ID, func() *core.Record { return tapped.Record(likes) })
			return errors.Join(webhook.Emit(tx, "like.created", tapped), notification.Liked(tx, tapped.User, post, tapped.Owner))
		})
	})
	switch {
	case err != nil:
		return refuse(e, fault.Answer(err), "Failed to create record")
	case !allowed:
		return fault.Refused("Failed to create record.")
	}
	return e.JSON(http.StatusOK, tapped)
}

// likeUntapped is the fast path of an unlike.
func (s *Social) likeUntapped(e *core.RequestEvent, likes *core.Collection, id string) error {
	found := false
	err := s.writer.Do(func(tx core.App) (err error) {
		tapped := like.Of(likes, "", "")
		tapped.ID = id
		if found, err = tapped.Find(tx, e.Auth); err != nil || !found {
			return err
		}
		return aroundLike("OnUnlike", &s.events.unlike, tx, likes, tapped, func() error {
			if err := tapped.Remove(tx); err != nil {
				return err
			}
			inbox.Touched(tx, tapped.Post)
			inbox.WrittenBySQL(tx, "delete", likes.Name, tapped.ID, func() *core.Record { return tapped.Record(likes) })
			return errors.Join(webhook.Emit(tx, "like.deleted", tapped), notification.Unliked(tx, tapped.User, tapped.Post, tapped.Owner))
		})
	})
	switch {
	case err != nil:
		return refuse(e, fault.Answer(err), "Failed to delete record. Make sure that the record is not part of a required relation reference.")
	case !found:
		return fault.NotFound()
	}
	return e.NoContent(http.StatusNoContent)
}

// aroundLike runs an owner's hook around what the product does, and reads what it is told only when there is one.
func aroundLike(name string, h *hook.Hook[*LikeEvent], tx core.App, likes *core.Collection, l *like.Like, then func() error) error {
	if h.Length() == 0 {
		return then()
	}
	ev, err := likeEvent(tx, l.Record(likes))
	if err != nil {
		return err
	}
	return run(name, h, ev, func() error {
		if err := then(); err != nil {
			return err
		}
		stored := l.Record(likes)
		ev.Like.Load(stored.FieldsData())
		ev.Like.MarkAsNotNew()
		return nil
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
