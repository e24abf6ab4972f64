package hooks

import (
	"errors"
	"net/http"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/visibility"
)

func (s *Social) bindLikes() {
	s.app.OnRecordCreateExecute("likes").BindFunc(inTx(s.likeStored))
	s.app.OnRecordDelete("likes").BindFunc(inTx(s.likeRemoved))
}

// likeStored stores the like, the post's count and the owner's notification together, or none of them. A trigger
// updates the count.
func (s *Social) likeStored(tx core.App, e *core.RecordEvent) error {
	ev, err := newLikeEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return runHook("OnLike", &s.events.like, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.PostLiked(tx, ev.User.Id, ev.Post.Id, ev.Owner.Id)
	})
}

func (s *Social) likeRemoved(tx core.App, e *core.RecordEvent) error {
	ev, err := newLikeEvent(tx, e.Record)
	if err != nil {
		return err
	}
	return runHook("OnUnlike", &s.events.unlike, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.PostUnliked(tx, ev.User.Id, ev.Post.Id, ev.Owner.Id)
	})
}

// serveFastLike serves a like on the fast path, from the request to the answer. It returns the reason why the general
// path shall, when it has changed and answered nothing.
func (s *Social) serveFastLike(e *core.RequestEvent, r fastpath.Request) (visibility.Reason, error) {
	likes := r.Likes
	limits := limit.ForApp(s.app)
	claim, limited := limits.ForAdded(likes.Name, e.Auth.Id)
	taken := false
	if err := limits.LoadAdded(s.app, likes.Name, e.Auth.Id); err != nil {
		return fastpath.ReadFailed, nil //nolint:nilerr // the general path meets it again
	}
	l, allowed, refused := (*fastpath.Like)(nil), false, error(nil)
	err := s.writer.InSharedTx(func(tx core.App) (err error) {
		l, refused = fastpath.NewLike(likes, r.Post, e.Auth.Id), nil
		if allowed = !s.sessions.HasEnded(e.Auth); !allowed {
			return nil
		}
		if allowed, err = l.ReadIfAllowed(tx, r.Rules, e.Auth, r.User); err != nil || !allowed || l.IsStored() || l.PostAuthor == "" {
			return err
		}
		if limited && !taken { // once, however often the transaction runs
			if refused = limits.Take(claim).Error(); refused != nil {
				return nil //nolint:nilerr // nothing was written: an error would run again all the likes that share the transaction
			}
			taken = true
		}
		return runLikeHook("OnLike", &s.events.like, tx, likes, l, func() error {
			if err := l.InsertRow(tx); err != nil {
				return err
			}
			return errors.Join(likeWritten(tx, likes, l, "create"), effect.PostLiked(tx, l.User, l.Post, l.PostAuthor))
		})
	})
	switch {
	case err != nil:
		if taken {
			limits.GiveBack(claim)
		}
		return "", refuseFastPath(e, fault.ForClient(err), "Failed to create record")
	case refused != nil:
		return "", refused
	case !allowed:
		return "", fault.BadRequest("Failed to create record.")
	case l.PostAuthor == "":
		return fastpath.NoSuchPost, nil
	}
	return "", e.JSON(http.StatusOK, l)
}

// serveFastUnlike serves an unlike on the fast path.
func (s *Social) serveFastUnlike(e *core.RequestEvent, r fastpath.Request) error {
	likes := r.Likes
	found := false
	err := s.writer.InSharedTx(func(tx core.App) (err error) {
		l := fastpath.NewLike(likes, "", "")
		l.ID = r.ID
		if s.sessions.HasEnded(e.Auth) {
			found = false
			return nil
		}
		if found, err = l.ReadIfDeletable(tx, r.Rules, e.Auth); err != nil || !found {
			return err
		}
		return runLikeHook("OnUnlike", &s.events.unlike, tx, likes, l, func() error {
			if err := l.DeleteRow(tx); err != nil {
				return err
			}
			return errors.Join(likeWritten(tx, likes, l, "delete"), effect.PostUnliked(tx, l.User, l.Post, l.PostAuthor))
		})
	})
	switch {
	case err != nil:
		return refuseFastPath(e, fault.ForClient(err), "Failed to delete record. Make sure that the record is not part of a required relation reference.")
	case !found:
		return fault.NotFound()
	}
	return e.NoContent(http.StatusNoContent)
}

// likeWritten says of a like that was written by SQL what PocketBase's events say of every record, to those who listen
// and to webhooks.
func likeWritten(tx core.App, likes *core.Collection, l *fastpath.Like, action string) error {
	inbox.RecordWrittenBySQL(tx, action, likes.Name, l.ID, func() *core.Record { return l.ToRecord(likes) })
	return webhook.EmitEvent(tx, collection.Describe(likes.Name).Events.Type(action+"d"), l)
}

// runLikeHook runs an owner's hook around what the product does, and reads what it is told only when there is one.
func runLikeHook(name string, h *hook.Hook[*LikeEvent], tx core.App, likes *core.Collection, l *fastpath.Like, then func() error) error {
	if h.Length() == 0 {
		return then()
	}
	ev, err := newLikeEvent(tx, l.ToRecord(likes))
	if err != nil {
		return err
	}
	return runHook(name, h, ev, func() error {
		if err := then(); err != nil {
			return err
		}
		stored := l.ToRecord(likes)
		ev.Like.Load(stored.FieldsData())
		ev.Like.MarkAsNotNew()
		return nil
	})
}

func newLikeEvent(tx core.App, like *core.Record) (*LikeEvent, error) {
	post, err := db.RequireRecord(tx, "posts", like.GetString("post"))
	if err != nil {
		return nil, err
	}
	owner, err := db.RequireRecord(tx, "users", post.GetString("author"))
	if err != nil {
		return nil, err
	}
	user, err := db.RequireRecord(tx, "users", like.GetString("user"))
	if err != nil {
		return nil, err
	}
	return &LikeEvent{App: tx, Like: like, Post: post, Owner: owner, User: user}, nil
}

// refuseFastPath returns an error of the fast path as PocketBase's general path would answer it: with text for
// validation errors.
func refuseFastPath(e *core.RequestEvent, err error, text string) error {
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		return e.BadRequestError(text, invalid)
	}
	return err
}
