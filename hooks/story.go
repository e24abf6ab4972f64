package hooks

import (
	"context"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/guard"
	"doubletap/internal/job"
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
	s.jobs.Handle(story.Job, expireStories)
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

// storyRemoved takes the views along by a statement; the files go after the commit.
func (s *Social) storyRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.photosClosed(tx, purgePayload{URLs: rendition.URLs(e.Record)}); err != nil {
		return err
	}
	if err := story.Empty(tx, e.Record.Id); err != nil {
		return err
	}
	return e.Next()
}

// How many stories are looked for at once, and how many one transaction removes.
const (
	storiesOver    = 1000
	storiesRemoved = 25
)

// expireStories removes the stories whose day is over. Nobody but their authors has seen them since.
func expireStories(ctx context.Context, app core.App, _ *job.Job) error {
	for {
		over, err := story.Over(app, storiesOver)
		if err != nil || len(over) == 0 {
			return err
		}
		for ids := range slices.Chunk(over, storiesRemoved) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := app.RunInTransaction(func(tx core.App) error { return story.Remove(tx, ids) }); err != nil {
				return err
			}
		}
	}
}
