// Package comment is what people say under a post: one level of replies, and tombstones
// where something was said that others answered.
package comment

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/fault"
	"doubletap/internal/sweep"
)

// AttachToRoot makes record a reply to the root of the thread it answers in, and returns the
// comment it answers, or nil for a comment that answers none.
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

// HasReplies reports whether somebody answered the comment.
func HasReplies(tx core.App, id string) (bool, error) {
	var one int
	return db.QueryValue(tx, &one, `SELECT 1 FROM comments WHERE parent = {:id} LIMIT 1`, db.Params{"id": id})
}

// LikePart deletes the likes of a comment, the subject's id, that is deleted.
var LikePart = sweep.DeletePart("comment_likes", `comment = {:id}`)

// MakeTombstone turns the comment in record into a tombstone: still there and counted, since others answered it, but
// without words and author. Its likes are LikePart's. It is not validated: its post may be gone, and this row have yet to follow it.
func MakeTombstone(tx core.App, record *core.Record) error {
	record.Set("deleted", true)
	record.Set("text", "")
	record.Set("author", "")
	if err := tx.SaveNoValidate(record); err != nil {
		return fmt.Errorf("bury comment %s: %w", record.Id, err)
	}
	return nil
}
