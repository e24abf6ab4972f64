// Package comment is what people say under a post: comments with one level of replies, and tombstones in place of
// deleted comments that have replies.
package comment

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// AttachToRoot makes record a reply to the root of its thread, and returns the comment that it answers, or nil if it
// answers none. If that comment is deleted or a tombstone, the error is fault.ErrGone.
func AttachToRoot(tx core.App, record *core.Record) (*core.Record, error) {
	parent := record.GetString("parent")
	if parent == "" {
		return nil, nil
	}
	answered, err := db.FindRecord(tx, "comments", parent)
	if err == nil && (answered == nil || IsTombstone(answered)) {
		return nil, fmt.Errorf("the comment %s that is answered: %w", parent, fault.ErrGone)
	}
	if err != nil {
		return nil, fmt.Errorf("find the comment %s that is answered: %w", parent, err)
	}
	if root := answered.GetString("parent"); root != "" {
		record.Set("parent", root)
	}
	return answered, nil
}

// IsTombstone reports whether the comment in record is a tombstone.
func IsTombstone(record *core.Record) bool { return record.GetBool("deleted") }

// HasReplies reports whether the comment has replies.
func HasReplies(tx core.App, id string) (bool, error) {
	var one int
	return db.QueryValue(tx, &one, `SELECT 1 FROM comments WHERE parent = {:id} LIMIT 1`, db.Params{"id": id})
}

// MakeTombstone turns the comment in record into a tombstone: it stays and is counted, since others answered it, but
// has no text and no author. Its likes go as those of a deleted comment do. The record is saved without validation, as its post may
// be deleted already while this row still waits for its own deletion.
func MakeTombstone(tx core.App, record *core.Record) error {
	record.Set("deleted", true)
	record.Set("text", "")
	record.Set("author", "")
	if err := tx.SaveNoValidate(record); err != nil {
		return fmt.Errorf("bury comment %s: %w", record.Id, err)
	}
	return nil
}
