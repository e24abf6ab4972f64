package hooks

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/comment"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/effect"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/sweep"
)

func (s *Social) bindComments() {
	s.app.OnRecordCreate("comments").BindFunc(answerErrors(requireCommentText))
	s.app.OnRecordUpdate("comments").BindFunc(answerErrors(requireCommentText))
	s.app.OnRecordCreateExecute("comments").BindFunc(inTx(s.commentStored))
	s.app.OnRecordUpdateExecute("comments").BindFunc(inTx(commentChanged))
	s.app.OnRecordDelete("comments").BindFunc(inTx(commentRemoved))
}

func requireCommentText(e *core.RecordEvent) error {
	if strings.TrimSpace(e.Record.GetString("text")) == "" && !comment.IsTombstone(e.Record) {
		return fault.InvalidField("text", "validation_required", "Cannot be blank.")
	}
	return e.Next()
}

func (s *Social) commentStored(tx core.App, e *core.RecordEvent) error {
	answered, err := comment.AttachToRoot(tx, e.Record)
	if err != nil {
		return err
	}
	post, err := db.RequireRecord(tx, "posts", e.Record.GetString("post"))
	if err != nil {
		return err
	}
	author, err := db.RequireRecord(tx, "users", e.Record.GetString("author"))
	if err != nil {
		return err
	}
	ev := &CommentEvent{App: tx, Comment: e.Record, Post: post, Author: author, Answers: answered}
	return runHook("OnComment", &s.events.comment, ev, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.CommentStored(tx, e.Record, post, answered)
	})
}

func commentChanged(tx core.App, e *core.RecordEvent) error {
	before := e.Record.Original().GetString("text")
	if err := e.Next(); err != nil {
		return err
	}
	if !hasChanged(e.Record, "text") || comment.IsTombstone(e.Record) {
		return nil
	}
	post, err := db.RequireRecord(tx, "posts", e.Record.GetString("post"))
	if err != nil {
		return err
	}
	return effect.CommentChanged(tx, e.Record, post, before)
}

// commentRemoved leaves a tombstone where others have replied. In either case the comment counts as never said: its
// notifications are retracted first, while it can still be read.
func commentRemoved(tx core.App, e *core.RecordEvent) error {
	if err := effect.CommentRemoved(tx, e.Record); err != nil {
		return err
	}
	answered, err := comment.HasReplies(tx, e.Record.Id)
	if err != nil {
		return err
	}
	if !answered {
		return e.Next()
	}
	if err := comment.MakeTombstone(tx, e.Record); err != nil { // without Next: the row stays
		return err
	}
	return deletionWorks["comments"].Begin(tx, sweep.Subject{"id": e.Record.Id})
}
