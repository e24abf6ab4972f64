package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/guard"
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

func (s *Social) postStored(tx core.App, e *core.RecordEvent) error {
	author, err := db.RequireRecord(tx, "users", e.Record.GetString("author"))
	if err != nil {
		return err
	}
	return runHook("OnPost", &s.events.post, &PostEvent{App: tx, Post: e.Record, Author: author}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.PostStored(tx, e.Record)
	})
}

func (s *Social) postChanged(tx core.App, e *core.RecordEvent) error {
	before, after := e.Record.Original(), e.Record
	if err := e.Next(); err != nil {
		return err
	}
	if post.IsNarrowed(before, after) {
		if err := s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(before)}); err != nil {
			return err
		}
	}
	return effect.PostChanged(tx, before, after)
}

// postRemoved leaves the rows that point at the post to be removed in steps, see deletionWorks, and its files until
// after the commit.
func (s *Social) postRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(e.Record)}); err != nil {
		return err
	}
	if err := effect.PostRemoved(tx, e.Record); err != nil {
		return err
	}
	return e.Next()
}
