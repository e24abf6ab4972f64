package hooks

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
)

// PocketBase's upsert, PUT in a batch, looks a row up by its id before it checks any rule, and answers differently if
// the row is there. As an edge's id can be computed, that revealed who blocks, mutes and saves. Here an upsert of a
// row that the caller may not see is a create, as if there were none. The table of actions belongs to the process.
func init() {
	upsert, create := batchAction("PUT"), batchAction("POST")
	if upsert == nil || create == nil {
		panic("PocketBase's batch has no PUT or no POST to records any more: see upsert.go")
	}
	update, add := apis.ValidBatchActions[upsert], apis.ValidBatchActions[create]
	apis.ValidBatchActions[upsert] = func(app core.App, ir *core.InternalRequest, params map[string]string, next func(any) error) apis.HandleFunc {
		found := update(app, ir, params, next)
		if ir.Method != http.MethodPatch { // there is no such row: PocketBase has made it a create
			return found
		}
		created := add(app, ir, params, next)
		return func(e *core.RequestEvent) error {
			seen, err := seesRecord(e, params["collection"], params["id"])
			if err != nil {
				return err
			}
			if seen {
				return found(e)
			}
			info, err := e.RequestInfo()
			if err != nil {
				return err
			}
			info.Method, e.Request.Method = http.MethodPost, http.MethodPost
			e.Request.SetPathValue("id", "")
			e.Request.URL.Path, _, _ = strings.Cut(e.Request.URL.Path, "/records/")
			e.Request.URL.Path += "/records"
			return created(e)
		}
	}
}

// batchAction returns the pattern of requests with method to a collection's records, nil if there is none.
func batchAction(method string) *regexp.Regexp {
	for pattern := range apis.ValidBatchActions {
		if pattern.MatchString(method + " /api/collections/posts/records") {
			return pattern
		}
	}
	return nil
}

// seesRecord reports whether the caller sees a row of one of our collections. It is true for an owner's, which keep
// PocketBase's behaviour.
func seesRecord(e *core.RequestEvent, name, id string) (bool, error) {
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	if err != nil || !collection.IsOurs(c.Name) {
		return true, nil //nolint:nilerr // PocketBase says that there is no such collection
	}
	info, err := e.RequestInfo()
	if err != nil {
		return false, err
	}
	record := core.NewRecord(c)
	record.Id = id
	return e.App.CanAccessRecord(record, info, c.ViewRule)
}
