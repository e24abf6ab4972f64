package hooks

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/rendition"
)

const collectJob = "photo.collect"

// maxRenderJobs is how many posts are rendered at once: half of the workers, so that a thousand new photos leave room
// for a message. Their photos wait for one of the rendition.MaxConcurrent places, which people share fairly; a person
// who is alone has all of them.
const maxRenderJobs = 16

var maxRenderJobsPerUser = min(int(rendition.MaxConcurrent), maxRenderJobs/2)

func (s *Social) bindPhotos() {
	s.app.OnRecordCreate(collection.PhotoNames()...).BindFunc(answerErrors(s.admitPhotos))
	s.app.OnRecordUpdate(collection.PhotoNames()...).BindFunc(answerErrors(s.admitPhotos))
	s.app.OnRecordCreateExecute(collection.PhotoNames()...).Bind(afterFiles(inTx(s.photoStored)))
	s.app.OnRecordUpdateExecute(collection.PhotoNames()...).Bind(afterFiles(inTx(s.photoStored)))
	s.app.OnFileDownloadRequest(collection.PhotoNames()...).BindFunc(answerErrors(s.servePhoto))
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		memory, err := rendition.MemoryFromEnv()
		if err != nil {
			return err
		}
		s.studio.SetMemory(memory)
		e.Router.BindFunc(s.awaitRenditions)
		return e.Next()
	})
	var began atomic.Pointer[time.Time] // when this process began to serve, until its first collection
	var complete atomic.Bool            // a collection of this process has looked at all folders
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		now := time.Now()
		began.Store(&now)
		s.enqueueJob(collectJob) // after a crash
		return e.Next()
	})
	s.app.Cron().MustAdd(collectJob, "41 * * * *", func() { s.enqueueJob(collectJob) })
	s.jobs.Handle(collectJob, func(_ context.Context, app core.App, _ *job.Job) error { return collectPhotos(app, &began, &complete) })
	s.jobs.Handle(rendition.JobKind, s.renderPhotos, job.LeaseDuration(15*time.Second), job.Concurrency(maxRenderJobs), job.FairShare(maxRenderJobsPerUser, 0))
	s.jobs.Handle(purgeJob, s.purgePhotos, job.MaxAttempts(20), job.Concurrency(4))
}

func (s *Social) admitPhotos(e *core.RecordEvent) error {
	release, err := s.studio.AdmitUploads(e.Context, e.App, e.Record)
	if errors.Is(err, rendition.ErrBusy) {
		return router.NewApiError(http.StatusServiceUnavailable, "", err)
	}
	if err != nil {
		return err
	}
	defer release()
	return e.Next()
}

// photoStored queues jobs, in the transaction of the record, to render its new photos and to take the replaced ones
// out of shared caches.
func (s *Social) photoStored(tx core.App, e *core.RecordEvent) error {
	name := e.Record.Collection().Name
	key := e.Record.Id // a later change of the same record is another job, as the first may run already
	files := e.Record.GetUnsavedFiles(rendition.PhotoFields[name])
	for _, file := range files {
		key += "/" + file.Name
	}
	before := e.Record.Original()
	if err := e.Next(); err != nil {
		return err
	}
	if old := rendition.CacheableURLs(before); len(old) > 0 && hasChanged(e.Record, rendition.PhotoFields[name]) {
		if err := s.queuePurge(tx, purgePayload{URLs: old}); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	return job.Enqueue(tx, rendition.JobKind, rendition.Payload{Collection: name, Record: e.Record.Id}, job.Dedupe(key), job.ForUser(rendition.PhotoOwner(e.Record)))
}

func (s *Social) renderPhotos(ctx context.Context, app core.App, j *job.Job) error {
	var p rendition.Payload
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	return s.studio.Publish(ctx, app, p.Collection, p.Record)
}

// collectPhotos deletes the files that a crash left without a record. The first time, files from before this process are
// nobody's however young they are; later the clock may have been put back since it began. Until one collection has
// succeeded, it looks at folders of any age.
func collectPhotos(app core.App, began *atomic.Pointer[time.Time], complete *atomic.Bool) error {
	before := time.Time{}
	if first := began.Swap(nil); first != nil {
		before = *first
	}
	n, err := rendition.CollectOrphans(app, before, !complete.Load())
	if err == nil {
		complete.Store(true)
	}
	if n > 0 {
		app.Logger().Warn("photos of no record deleted", "count", n)
	}
	return err
}
