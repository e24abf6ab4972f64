package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/story"
)

func (s *Social) bindStories() {
	s.app.OnRecordCreate("stories").BindFunc(answerErrors(setStoryDefaults))
	s.app.OnRecordUpdate("stories").BindFunc(answerErrors(setStoryDefaults))
	s.app.OnRecordUpdateExecute("stories").Bind(afterFiles(inTx(s.storyChanged)))
	s.app.OnRecordDelete("stories").BindFunc(inTx(s.storyRemoved))
	s.jobs.Handle(story.ExpiryJob, story.ExpiryWork.HandleJob, sweepAttempts)
	s.app.Cron().MustAdd(story.ExpiryJob, "29 * * * *", func() { s.enqueueJob(story.ExpiryJob) })
}

func setStoryDefaults(e *core.RecordEvent) error {
	guard.SetDefault(e.Record, "visibility", post.Public)
	guard.SetDefault(e.Record, "expires", clock.FormatTime(clock.Now(e.App).Add(story.Lifetime)))
	return e.Next()
}

// storyChanged purges a story that fewer people may see than before. Only a superuser changes a story.
func (s *Social) storyChanged(tx core.App, e *core.RecordEvent) error {
	before := e.Record.Original()
	if err := e.Next(); err != nil {
		return err
	}
	if !story.IsNarrowed(before, e.Record) {
		return nil
	}
	return s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(before)})
}

// storyRemoved purges a story that is deleted. Its views go in steps, its file after the commit.
func (s *Social) storyRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.queuePurge(tx, purgePayload{URLs: rendition.CacheableURLs(e.Record)}); err != nil {
		return err
	}
	return e.Next()
}
