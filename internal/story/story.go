// Package story is about stories: photos that their authors show for a day.
package story

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/sweep"
)

// Lifetime is how long a story is shown.
const Lifetime = 24 * time.Hour

// ExpiryJob is the kind of the job that deletes expired stories.
const ExpiryJob = "story.expire"

// TimeLeft returns how much longer the story in record is shown, 0 when it has expired.
func TimeLeft(app core.App, record *core.Record) time.Duration {
	return max(0, record.GetDateTime("expires").Time().Sub(clock.Now(app)))
}

// IsNarrowed reports whether somebody who could see the story before may not see it now, or not for as long.
func IsNarrowed(before, after *core.Record) bool {
	return before.GetString("visibility") == "public" && after.GetString("visibility") != "public" ||
		after.GetDateTime("expires").Before(before.GetDateTime("expires"))
}

// ExpiryWork removes the stories whose day is over, with their views and files. Nobody but their authors has seen them since.
var ExpiryWork = sweep.Work{Kind: ExpiryJob, Parts: []sweep.Part{sweep.Records("stories", `expires <= {:now}`, sweep.DeleteRecord)}}
