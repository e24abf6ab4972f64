package hooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/story"
	"github.com/doubletap/doubletap/internal/visibility"
	"github.com/doubletap/doubletap/internal/web"
)

// renditionTimeout is how long a request waits for renditions that are being made.
const renditionTimeout = 15 * time.Second

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
	if field == nil || field.Name != rendition.PhotoFields[collection.Name] || rendition.IsOther(path[2]) {
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
	other := rendition.IsOther(e.Request.PathValue("filename"))
	if e.ThumbError != nil && !other || e.Collection.Name == "users" && e.Record.GetString("state") != account.Active {
		return fault.NotFound()
	}
	if other {
		return e.Next() // PocketBase serves it in a sandbox
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
	holder, err := web.FindByToken(e.App, token, core.TokenTypeFile)
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
