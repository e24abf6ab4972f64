package hooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/story"
	"github.com/doubletap/doubletap/internal/visibility"
)

const (
	purgeJob   = "photo.purge"
	collectJob = "photo.collect"
	// renditionTimeout is how long a request waits for renditions that are being made.
	renditionTimeout = 15 * time.Second
)

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

// awaitRenditions keeps refusals of files out of caches, and makes a request for a photo wait until its renditions
// exist, so that these are served.
func (s *Social) awaitRenditions(e *core.RequestEvent) error {
	path, ours := strings.CutPrefix(e.Request.URL.Path, "/api/files/")
	if !ours || e.Request.Method == http.MethodPost {
		return e.Next()
	}
	err := s.ensureRenditions(e, strings.Split(path, "/"))
	if err == nil {
		err = e.Next()
	}
	if err != nil {
		e.Response.Header().Set("Cache-Control", "no-store")
	}
	return err
}

func (s *Social) ensureRenditions(e *core.RequestEvent, path []string) error {
	if len(path) != 3 {
		return nil
	}
	collection, err := e.App.FindCachedCollectionByNameOrId(path[0])
	if err != nil || rendition.PhotoFields[collection.Name] == "" {
		return nil
	}
	record, err := db.FindRecord(e.App, collection.Name, path[1])
	if err != nil {
		return fault.ForClient(err)
	}
	if record == nil {
		return nil // PocketBase's 404
	}
	field := record.FindFileFieldByFile(path[2])
	if field == nil || field.Name != rendition.PhotoFields[collection.Name] {
		return nil
	}
	// field.Thumbs are the sizes of an owner's own choice
	if size := e.Request.URL.Query().Get("thumb"); size != "" && !rendition.IsKnownSize(size) && !slices.Contains(field.Thumbs, size) {
		return fault.NotFound()
	}
	ctx, cancel := context.WithTimeout(e.Request.Context(), renditionTimeout)
	defer cancel()
	switch _, err := s.studio.EnsureRendered(ctx, record, path[2]); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		e.Response.Header().Set("Retry-After", "5")
		return e.Error(http.StatusServiceUnavailable, "The photo is not ready yet.", nil)
	default:
		e.App.Logger().Warn("photo not shown", "collection", collection.Name, "id", record.Id, "file", path[2], "err", err)
		return unshown(err)
	}
}

// unshown answers why a photo has no renditions: a file that is not there, or is no photo, is 404; one that could not be
// read is our own trouble.
func unshown(err error) error {
	if errors.Is(err, photo.ErrUnreadable) || errors.Is(err, filesystem.ErrNotFound) {
		return fault.NotFound()
	}
	return fault.ForClient(err)
}

// servePhoto decides which file is served and who may cache it. PocketBase has let the caller in: its rule shows them
// the post or the story.
func (s *Social) servePhoto(e *core.FileDownloadRequestEvent) error {
	if e.FileField.Name != rendition.PhotoFields[e.Collection.Name] {
		return e.Next()
	}
	if e.ThumbError != nil || (e.Collection.Name == "users" && e.Record.GetString("state") != account.Active) {
		return fault.NotFound()
	}
	file := strings.TrimPrefix(e.ServedPath, e.Record.BaseFilesPath()+"/")
	size := e.Request.URL.Query().Get("thumb")
	public, err := isVisibleToAll(e.App, e.Record)
	if err != nil {
		return err
	}
	if size == "" {
		mine, err := isOwnPhoto(e)
		if err != nil {
			return fault.ForClient(err)
		}
		if mine {
			public = false // the original, which is its author's alone
			size = "original"
		} else {
			size = photo.Full.ThumbName()
			e.ServedPath = rendition.StorageKey(e.Record, file, size)
		}
	}
	header := e.Response.Header()
	header.Set("ETag", fmt.Sprintf(`"%s-%s"`, strings.TrimSuffix(e.Request.PathValue("filename"), ".jpg"), size))
	keep := maxCacheAge
	if e.Collection.Name == "stories" {
		keep = story.TimeLeft(e.App, e.Record)
	}
	switch {
	case !public || e.Request.URL.Query().Has("token"): // which is its holder's
		header.Set("Cache-Control", fmt.Sprintf("private, max-age=%d", cacheSeconds(keep, 5*time.Minute)))
	case s.events.purge.Length() > 0 && slices.Contains(rendition.CacheableURLs(e.Record), e.Request.RequestURI):
		header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d, immutable", cacheSeconds(keep, maxCacheAge)))
	default: // no purger takes it, or takes it under this address, out of shared caches when it is no longer public
		header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d, s-maxage=%d, immutable", cacheSeconds(keep, maxCacheAge), cacheSeconds(keep, time.Minute)))
	}
	return e.Next()
}

// maxCacheAge is a year, the longest that caches are told to keep a file.
const maxCacheAge = 365 * 24 * time.Hour

// cacheSeconds returns for how many seconds a cache may keep what exists for keep, but no longer than most.
func cacheSeconds(keep, most time.Duration) int { return int(min(keep, most).Seconds()) }

// isOwnPhoto reports whether the file token is that of the photo's author.
func isOwnPhoto(e *core.FileDownloadRequestEvent) (bool, error) {
	token := e.Request.URL.Query().Get("token")
	if token == "" || e.Collection.Name == "users" {
		return false, nil
	}
	holder, err := findByToken(e.App, token, core.TokenTypeFile)
	return holder != nil && holder.Collection().Name == "users" && holder.Id == e.Record.GetString("author"), err
}

func isVisibleToAll(app core.App, record *core.Record) (bool, error) {
	switch record.Collection().Name {
	case "posts":
		return visibility.MaySeePost(app, "", record.Id)
	case "stories":
		if record.GetString("visibility") != post.Public || story.TimeLeft(app, record) == 0 {
			return false, nil
		}
		return visibility.MaySeeUser(app, "", record.GetString("author"))
	}
	return record.GetString("state") == account.Active, nil
}

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
