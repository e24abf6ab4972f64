// Package story is a photo that its author shows for a day.
package story

import (
	"time"

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
var Expiry = sweep.Work{Kind: Job, Parts: []sweep.Part{sweep.Records("stories", `expires <= {:now}`, sweep.DeleteRecord)}}

// ViewPart deletes the views of a story, the subject's id, that is gone.
var ViewPart = sweep.Delete("story_views", `story = {:id}`)
