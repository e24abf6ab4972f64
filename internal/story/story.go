// Package story is a photo that its author shows for a day.
package story

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// Day is how long a story is shown.
const Day = 24 * time.Hour

// Job is the kind of the job that removes stories whose day is over.
const Job = "story.expire"

// Left returns for how long the story in record is still shown, 0 when its day is over.
func Left(app core.App, record *core.Record) time.Duration {
	return max(0, record.GetDateTime("expires").Time().Sub(clock.Now(app)))
}

// Narrowed reports whether somebody who saw the story before may not see it now, or not for as long.
func Narrowed(before, after *core.Record) bool {
	return before.GetString("visibility") == "public" && after.GetString("visibility") != "public" ||
		after.GetDateTime("expires").Before(before.GetDateTime("expires"))
}

// Over returns the ids of up to n stories whose day is over.
func Over(app core.App, n int) ([]string, error) {
	var ids []string
	err := db.Column(app, &ids, `SELECT id FROM stories WHERE expires <= {:now} LIMIT {:n}`, db.Params{"now": clock.Stamp(app), "n": n})
	if err != nil {
		return nil, fmt.Errorf("find stories that are over: %w", err)
	}
	return ids, nil
}

// Remove deletes the stories, with their views and files. Those that are gone or go on meanwhile are left alone.
func Remove(tx core.App, ids []string) error {
	over, err := tx.FindRecordsByIds("stories", ids, func(q *dbx.SelectQuery) error {
		q.AndWhere(dbx.NewExp("expires <= {:now}", dbx.Params{"now": clock.Stamp(tx)}))
		return nil
	})
	if err != nil {
		return fmt.Errorf("find stories that are over: %w", err)
	}
	for _, story := range over {
		if err := tx.Delete(story); err != nil {
			return fmt.Errorf("delete story %s: %w", story.Id, err)
		}
	}
	return nil
}

// Empty deletes the views of a story by a statement, as a row at a time with hooks would hold the write lock for long.
func Empty(tx core.App, story string) error {
	if _, err := db.Exec(tx, `DELETE FROM story_views WHERE story = {:story}`, db.Params{"story": story}); err != nil {
		return fmt.Errorf("empty story %s: %w", story, err)
	}
	return nil
}
