package hooks

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/rendition"
)

const purgeJob = "photo.purge"

// purgePayload names photos, or an author, which means all their public posts and stories.
type purgePayload struct {
	URLs   []string
	Author string
	Again  bool // this is the second time
}

// purgeRepeatDelay is how long an answer may be on its way to a shared cache: one that left before the photo closed
// is purged then.
const purgeRepeatDelay = time.Minute

// queuePurge queues a job that takes photos out of shared caches, if an owner has bound OnPurge.
func (s *Social) queuePurge(tx core.App, p purgePayload) error {
	if s.events.purge.Length() == 0 {
		return nil
	}
	if p.Author != "" {
		author, err := db.RequireRecord(tx, "users", p.Author)
		if err != nil {
			return err
		}
		p.URLs = append(p.URLs, rendition.CacheableURLs(author)...) // perhaps gone when the job runs
	}
	return job.Enqueue(tx, purgeJob, p)
}

func (s *Social) purgePhotos(_ context.Context, app core.App, j *job.Job) error {
	var p purgePayload
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	if p.Author != "" {
		for _, collection := range []string{"posts", "stories"} {
			records, err := app.FindAllRecords(collection, dbx.HashExp{"author": p.Author, "visibility": post.Public})
			if err != nil {
				return fmt.Errorf("find %s of %s: %w", collection, p.Author, err)
			}
			for _, record := range records {
				p.URLs = append(p.URLs, rendition.CacheableURLs(record)...)
			}
		}
	}
	if err := s.events.purge.Trigger(&PurgeEvent{App: app, URLs: p.URLs}); err != nil || p.Again {
		return err
	}
	return job.Enqueue(app, purgeJob, purgePayload{URLs: p.URLs, Again: true}, job.RunAt(clock.Now(app).Add(purgeRepeatDelay)))
}
