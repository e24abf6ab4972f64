package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/guard"
	"doubletap/internal/post"
	"doubletap/internal/rendition"
	"doubletap/internal/story"
)

func (s *Social) bindStories() {
	s.app.OnRecordCreate("stories").BindFunc(answer(storyOffered))
	s.app.OnRecordCreateExecute("stories").Bind(afterFiles(together(anchored)))
	s.app.OnRecordUpdate("stories").BindFunc(answer(storyOffered))
	s.app.OnRecordUpdateExecute("stories").Bind(afterFiles(together(s.storyChanged)))
	s.app.OnRecordDelete("stories").BindFunc(together(s.storyRemoved))
	s.jobs.Handle(story.Job, story.Expiry.Run, sweepAttempts)
	s.app.Cron().MustAdd(story.Job, "29 * * * *", func() { s.enqueue(story.Job) })
}

func storyOffered(e *core.RecordEvent) error {
	guard.Default(e.Record, "visibility", post.Public)
	guard.Default(e.Record, "expires", clock.Text(clock.Now(e.App).Add(story.Day)))
	return e.Next()
}

// storyChanged is a superuser's doing, as nobody else changes a story.
func (s *Social) storyChanged(tx core.App, e *core.RecordEvent) error {
	before := e.Record.Original()
	if err := e.Next(); err != nil {
		return err
	}
	if !story.Narrowed(before, e.Record) {
		return nil
	}
	return s.photosClosed(tx, purgePayload{URLs: rendition.URLs(before)})
}

// storyRemoved lets a story go. Its views go by steps, the files after the commit.
func (s *Social) storyRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.photosClosed(tx, purgePayload{URLs: rendition.URLs(e.Record)}); err != nil {
		return err
	}
	return e.Next()
}
