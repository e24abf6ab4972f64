package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/rendition"
)

func (s *Social) bindPosts() {
	s.app.OnRecordCreate("posts").BindFunc(answerErrors(setPostDefaults))
	s.app.OnRecordCreateExecute("posts").Bind(afterFiles(inTx(s.postStored)))
	s.app.OnRecordUpdate("posts").BindFunc(answerErrors(setPostDefaults))
	s.app.OnRecordUpdateExecute("posts").Bind(afterFiles(inTx(s.postChanged)))
	s.app.OnRecordDelete("posts").BindFunc(inTx(s.postRemoved))
}

func setPostDefaults(e *core.RecordEvent) error {
	guard.SetDefault(e.Record, "visibility", post.Public)
	return e.Next()
}

// postStored stores the post, its hashtags and the notifications of those it mentions in one transaction. What it costs
// does not depend on how many follow its author.
func (s *Social) postStored(tx core.App, e *core.RecordEvent) error {
	author, err := db.RequireRecord(tx, "users", e.Record.GetString("author"))
	if err != nil {
		return err
	}
	return runHook("OnPost", &s.events.post, &PostEvent{App: tx, Post: e.Record, Author: author}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := post.SetHashtags(tx, e.Record); err != nil {
			return err
		}
		inbox.PostAdded(tx, e.Record.Id, author.Id)
		if err := notification.PostCreated(tx, e.Record); err != nil {
			return err
		}
		return effect.MentionsStored(tx, e.Record.Id, author.Id, "", e.Record.GetString("caption"))
	})
}

func (s *Social) postChanged(tx core.App, e *core.RecordEvent) error {
	before, after := e.Record.Original(), e.Record
	if err := e.Next(); err != nil {
		return err
	}
	if post.IsNarrowed(before, after) {
		if post.IsForOthers(before) {
			inbox.RecheckPosts(tx, after.Id)
		}
		if err := s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(before)}); err != nil {
			return err
		}
	}
	if post.IsWidened(before, after) {
		inbox.PostAdded(tx, after.Id, after.GetString("author"))
		if err := notification.PostCreated(tx, after); err != nil {
			return err
		}
	}
	if !hasChanged(after, "caption", "visibility") {
		return nil
	}
	if err := post.SetHashtags(tx, after); err != nil {
		return err
	}
	author := after.GetString("author")
	if err := effect.MentionsRemoved(tx, after.Id, author, before.GetString("caption")); err != nil {
		return err
	}
	return effect.MentionsStored(tx, after.Id, author, "", after.GetString("caption"))
}

// postRemoved removes the hashtags, which are counted elsewhere. Other rows go in steps, see deletionWorks, and the
// files after the commit.
func (s *Social) postRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(e.Record)}); err != nil {
		return err
	}
	if err := post.RemoveHashtags(tx, e.Record.Id); err != nil {
		return err
	}
	if author := e.Record.GetString("author"); post.IsForOthers(e.Record) {
		inbox.PostRemoved(tx, e.Record.Id, author)
	} else { // nobody else is told that there was one
		inbox.FeedPostHidden(tx, author, e.Record.Id)
	}
	return e.Next()
}
