package hooks

import (
	"context"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/feed"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

func (s *Social) bindFeed() {
	s.app.OnRecordDeleteRequest("feed").BindFunc(answerErrors(hideFeedRow))
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.BindFunc(s.topUpFeed)
		return e.Next()
	})
	s.jobs.Handle(feed.FanOutWork.Kind, feed.FanOutWork.HandleJob, sweepAttempts)
	s.jobs.Handle(feed.TrimJobKind, trimFeeds)
	s.app.Cron().MustAdd(feed.TrimJobKind, "17 * * * *", func() { s.enqueueJob(feed.TrimJobKind) })
}

// topUpFeed waits, before a feed is listed from its start, until the feed's worker has added what celebrities posted.
// The request writes nothing itself.
func (s *Social) topUpFeed(e *core.RequestEvent) error {
	if e.Request.Method == http.MethodGet && e.Request.URL.Path == "/api/collections/feed/records" &&
		e.Auth != nil && e.Auth.Collection().Name == "users" && e.Request.URL.Query().Get("filter") == "" {
		s.topUps.WaitForTopUp(e.Request.Context(), e.Auth.Id)
	}
	return e.Next()
}

// hideFeedRow hides a row from its viewer for good instead of deleting it.
func hideFeedRow(e *core.RecordRequestEvent) error {
	err := e.App.RunInTransaction(func(tx core.App) error { return feed.HideRow(tx, e.Record) })
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// trimBatchSize is how many feeds that are too long one query finds.
const trimBatchSize = 1000

func trimFeeds(ctx context.Context, app core.App, _ *job.Job) error {
	for n := trimBatchSize; n == trimBatchSize; {
		viewers, err := feed.LongFeeds(app, trimBatchSize)
		if err != nil {
			return err
		}
		var failures []error
		for _, viewer := range viewers {
			err := feed.TrimWork.Finish(ctx, app, sweep.Subject{"viewer": viewer})
			if failures = append(failures, err); ctx.Err() != nil || errors.Is(err, db.ErrStopping) {
				break
			}
		}
		if err := errors.Join(failures...); err != nil { // they would be found again
			return err
		}
		n = len(viewers)
	}
	return nil
}
