package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/types"

	"doubletap/internal/edge"
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
	return run(&s.events.like, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		inbox.Touched(tx, ev.Post.Id)
		return notification.Liked(tx, ev.Like, ev.Owner.Id)
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

// likeTapped is the fast path of a like, from the request to the answer.
func (s *Social) likeTapped(e *core.RequestEvent, likes *core.Collection, post string) error {
	var record *core.Record
	err := s.writer.Do(func(tx core.App) error {
		record = core.NewRecord(likes)
		record.Id = edge.ID("likes", post, e.Auth.Id)
		record.Set("post", post)
		record.Set("user", e.Auth.Id)
		sight, err := like.Look(tx, record, e.Auth)
		if err != nil {
			return err
		}
		switch {
		case !sight.Allowed:
			record = nil
			return nil
		case sight.Stored():
			record.SetRaw("created", sight.Created)
			record.SetRaw("updated", sight.Updated)
			return nil
		}
		now := types.NowDateTime()
		record.SetRaw("created", now)
		record.SetRaw("updated", now)
		return s.aroundLike(&s.events.like, tx, record, func() error {
			if err := like.Store(tx, record); err != nil {
				return err
			}
			record.MarkAsNotNew()
			inbox.Touched(tx, post)
			return notification.Liked(tx, record, sight.Owner)
		})
	})
	if err != nil {
		return refuse(e, fault.Answer(err), "Failed to create record")
	}
	if record == nil {
		return fault.Refused("Failed to create record.")
	}
	if err := apis.EnrichRecord(e, record); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, record)
}

// likeUntapped is the fast path of an unlike.
func (s *Social) likeUntapped(e *core.RequestEvent, likes *core.Collection, id string) error {
	found := false
	err := s.writer.Do(func(tx core.App) (err error) {
		record := core.NewRecord(likes)
		record.Id = id
		if found, err = like.Find(tx, record, e.Auth); err != nil || !found {
			return err
		}
		record.MarkAsNotNew()
		return s.aroundLike(&s.events.unlike, tx, record, func() error {
			if err := like.Remove(tx, record); err != nil {
				return err
			}
			inbox.Touched(tx, record.GetString("post"))
			return notification.Unliked(tx, record)
		})
	})
	if err != nil {
		return refuse(e, fault.Answer(err), "Failed to delete record. Make sure that the record is not part of a required relation reference.")
	}
	if !found {
		return fault.NotFound()
	}
	return e.NoContent(http.StatusNoContent)
}

// aroundLike runs an owner's hook around what the product does, and reads what it is told only when there is one.
func (s *Social) aroundLike(h *hook.Hook[*LikeEvent], tx core.App, record *core.Record, then func() error) error {
	if h.Length() == 0 {
		return then()
	}
	ev, err := likeEvent(tx, record)
	if err != nil {
		return err
	}
	return run(h, ev, then)
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
