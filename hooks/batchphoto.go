package hooks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/rendition"
)

// admitBatchPhotos looks at the photos of a batch before it takes the write lock, and decodes where that tells whether
// they can be shown: under the lock there is no time for it. A refusal is that of the item which brings the photo.
func (s *Social) admitBatchPhotos(e *core.BatchRequestEvent) error {
	for i, item := range e.Batch {
		parts := batchItemURL.FindStringSubmatch(item.URL)
		if parts == nil || strings.EqualFold(item.Method, http.MethodDelete) {
			continue
		}
		collection, err := e.App.FindCachedCollectionByNameOrId(parts[1])
		if err != nil || rendition.PhotoFields[collection.Name] == "" {
			continue // PocketBase says what is wrong
		}
		field := rendition.PhotoFields[collection.Name]
		var files []*filesystem.File
		for key, value := range item.Body {
			if strings.Trim(key, "+-") == field {
				files = append(files, filesIn(value)...)
			}
		}
		release, err := s.studio.AdmitFiles(e.Request.Context(), e.App, e.Auth.Id, field, files)
		switch {
		case errors.Is(err, rendition.ErrBusy):
			e.Response.Header().Set("Retry-After", "5")
			return router.NewApiError(http.StatusServiceUnavailable, "", err)
		case err != nil:
			if refusal, is := errors.AsType[validation.Errors](err); is {
				return refusedItem(i, e.BadRequestError("Failed to save the record.", refusal))
			}
			return fault.ForClient(err)
		}
		release()
	}
	return e.Next()
}

// refusedItem returns what PocketBase answers when item i of a batch is refused.
func refusedItem(i int, refusal *router.ApiError) error {
	return router.NewBadRequestError("Batch transaction failed.", validation.Errors{
		"requests": validation.Errors{strconv.Itoa(i): itemRefusal{refusal}},
	})
}

// itemRefusal is apis.BatchResponseError, which only PocketBase can make.
type itemRefusal struct{ answer *router.ApiError }

// Error implements error.
func (itemRefusal) Error() string { return "Batch request failed." }

// Code implements router.SafeErrorItem.
func (itemRefusal) Code() string { return "batch_request_failed" }

// Resolve implements router.SafeErrorResolver.
func (r itemRefusal) Resolve(data map[string]any) any {
	data["response"] = r.answer
	return data
}
