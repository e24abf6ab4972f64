// Package erase removes a person and what they left behind in small steps, so that nobody waits for it.
package erase

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
)

// AccountWork removes what a closed account leaves behind, edges first; the subject's user is the account. After it
// only the account's own row is left. The row may be deleted already while it runs.
var AccountWork = sweep.Work{Kind: collection.Describe("users").GoneJob, Parts: slices.Concat(
	accountParts(collection.DeleteRows), []sweep.Part{notification.ForgetActorPart},
	accountParts(collection.DeleteRecords), accountParts(collection.ClearField), []sweep.Part{detachOrders},
	accountParts(collection.DeleteRowsLast),
)}

// accountParts returns a part for each relation to users that has the removal.
func accountParts(removal collection.Removal) (parts []sweep.Part) {
	for _, pointer := range collection.PointersTo("users", removal) {
		condition, counted := pointer.Field+` = {:user}`, collection.Describe(pointer.From).CounterKey("posts")
		switch {
		case removal == collection.DeleteRecords:
			parts = append(parts, sweep.Records(pointer.From, condition, sweep.DeleteRecord))
		case counted != "":
			part := sweep.DeletePart(pointer.From, condition)
			part.Do = deleteCounted(pointer.From, counted)
			parts = append(parts, part)
		default:
			part := sweep.PointerPart(pointer, condition)
			part.Last = removal == collection.DeleteRowsLast
			parts = append(parts, part)
		}
	}
	return parts
}

// deleteCounted returns what deletes rows that are counted in posts, whose ids are in the column, and tells the devices
// that watch a post what it lost.
func deleteCounted(table, column string) func(tx core.App, on sweep.Subject, ids []string) error {
	return func(tx core.App, _ sweep.Subject, ids []string) error {
		var posts []string
		if err := db.QueryColumn(tx, &posts, `SELECT DISTINCT `+column+` FROM `+table+` WHERE `+sweep.AmongIDs, db.Params{"ids": db.JSONList(ids)}); err != nil {
			return fmt.Errorf("find the posts of %s: %w", table, err)
		}
		if _, err := sweep.DeleteRows(tx, table, sweep.AmongIDs, db.Params{"ids": db.JSONList(ids)}); err != nil {
			return err
		}
		for _, post := range posts {
			inbox.PostCountsChanged(tx, post)
		}
		return nil
	}
}

// detachOrders stay without the person, where there is a shop.
var detachOrders = func() sweep.Part {
	part := sweep.UpdatePart("orders", `user = ''`, `user = {:user}`)
	part.Optional = true
	return part
}()
