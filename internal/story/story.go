// Package story is a photo that its author shows for a day.
package story

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/sweep"
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

// Expiry removes the stories whose day is over, with their views and files. Nobody but their authors has seen them since.
var Expiry = sweep.Work{Kind: Job, Parts: []sweep.Part{{Weight: recordWeight, Do: func(tx core.App, _ sweep.Subject, most int) (int, error) {
	over := []*core.Record{}
	err := tx.RecordQuery("stories").AndWhere(dbx.NewExp("expires <= {:now}", dbx.Params{"now": clock.Stamp(tx)})).Limit(int64(most)).All(&over)
	if err != nil {
		return 0, fmt.Errorf("find stories that are over: %w", err)
	}
	for _, story := range over {
		if err := tx.Delete(story); err != nil {
			return 0, fmt.Errorf("delete story %s: %w", story.Id, err)
		}
	}
	return len(over), nil
}}}}

const recordWeight = 40

// ViewPart deletes the views of a story, the subject's id, that is gone.
var ViewPart = sweep.Delete("story_views", `story = {:id}`)
