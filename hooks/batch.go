package hooks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/web"
)

// A batch runs inside one transaction, so everybody else's writes wait for whatever a client puts into it.

func (s *Social) bindBatch() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: requireBatchSignIn})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority + 1, Func: refuseNullItems})
		return e.Next()
	})
	s.app.OnBatchRequest().Bind(&hook.Handler[*core.BatchRequestEvent]{Priority: firstPriority, Func: refuseHashingItems})
	s.app.OnBatchRequest().Bind(&hook.Handler[*core.BatchRequestEvent]{Priority: lastPriority, Func: s.admitBatchPhotos})
	s.app.OnBatchRequest().Bind(&hook.Handler[*core.BatchRequestEvent]{Priority: lastPriority, Func: expandAfterBatch})
}

// afterAuthPriority is the place in the router where the caller is known and nothing of the body has been read.
const afterAuthPriority = apis.DefaultSuperuserIPsWhitelistMiddlewarePriority + 1

// requireBatchSignIn refuses a guest's batch before its body is read.
func requireBatchSignIn(e *core.RequestEvent) error {
	if e.Auth == nil && e.Request.Method == http.MethodPost && e.Request.URL.Path == "/api/batch" {
		return fault.BadRequest("Sign in to send a batch.")
	}
	return e.Next()
}

// refuseNullItems refuses a batch in which an item is null: PocketBase would dereference the null.
func refuseNullItems(e *core.RequestEvent) error {
	if e.Request.Pattern != web.BatchPattern {
		return e.Next()
	}
	var batch struct {
		Requests []json.RawMessage `json:"requests"`
	}
	if err := e.BindBody(&batch); err == nil { // else PocketBase says so
		for i, item := range batch.Requests {
			if string(item) == "null" {
				return refuseBatchItem(i, "The item is empty.")
			}
		}
	}
	return e.Next()
}

// batchItemURL matches the URL of an item that is about records: collection, id and query.
var batchItemURL = regexp.MustCompile(`^/api/collections/([^/?]+)/records(/[^/?]+)?(\?.*)?$`)

// refuseHashingItems refuses sign-ups and all other items that would hash a password under the write lock, in every
// spelling, and files that are too large together.
func refuseHashingItems(e *core.BatchRequestEvent) error {
	files := int64(0)
	for i, item := range e.Batch {
		parts := batchItemURL.FindStringSubmatch(item.URL)
		if parts == nil {
			continue // PocketBase knows no such item
		}
		collection, err := e.App.FindCachedCollectionByNameOrId(parts[1])
		if err != nil {
			continue // nor this collection
		}
		switch {
		case collection.IsAuth() && strings.EqualFold(item.Method, http.MethodPost):
			return refuseBatchItem(i, "A sign-up cannot be part of a batch.")
		case !e.HasSuperuserAuth() && slices.Contains(guard.GuardedCollections, collection.Name) && !batchFilesFit(item.Body, &files):
			return refuseBatchItem(i, "The files of a batch are too large together: send each in a request of its own.")
		case setsPassword(collection, item.Body): // without one, an upsert of an account can only be a change
			return refuseBatchItem(i, "Passwords cannot be part of a batch.")
		}
	}
	return e.Next()
}

// maxBatchFileBytes is how many bytes of files a batch may bring for our collections: they are inspected and stored
// under the write lock.
const maxBatchFileBytes = 8 << 20

// batchFilesFit adds the size of the files in an item's body to sum, and reports whether the batch is still small
// enough.
func batchFilesFit(body map[string]any, sum *int64) bool {
	for _, value := range body {
		for _, file := range filesIn(value) {
			*sum += file.Size
		}
	}
	return *sum <= maxBatchFileBytes
}

// filesIn returns the files of one value of an item's body.
func filesIn(value any) (files []*filesystem.File) {
	switch value := value.(type) {
	case *filesystem.File:
		return []*filesystem.File{value}
	case []*filesystem.File:
		return value
	case []any:
		for _, one := range value {
			if file, is := one.(*filesystem.File); is {
				files = append(files, file)
			}
		}
	}
	return files
}

// setsPassword reports whether a body sets or proves a password of the collection.
func setsPassword(collection *core.Collection, body map[string]any) bool {
	for key := range body {
		key, _, _ = strings.Cut(strings.Trim(key, "+-"), ":")
		if collection.IsAuth() && (key == "oldPassword" || key == "passwordConfirm") {
			return true
		}
		if field := collection.Fields.GetByName(key); field != nil && field.Type() == core.FieldTypePassword {
			return true
		}
	}
	return false
}

// refuseBatchItem returns the refusal of item i, in the shape of PocketBase's own.
func refuseBatchItem(i int, text string) error {
	return router.NewBadRequestError("Invalid batch request data.", validation.Errors{
		"requests": validation.Errors{strconv.Itoa(i): validation.NewError("batch_request_failed", text)},
	})
}

// expansion is an item that asks to expand relations of its record, with the URL that says which.
type expansion struct {
	item int
	url  *url.URL
}

// batchResult is apis.BatchRequestResult with the bytes of its body.
type batchResult struct {
	Body   json.RawMessage `json:"body"`
	Status int             `json:"status"`
}

// expandAfterBatch takes expand out of the items, so that no relation is read under the write lock. Once the batch is
// committed it shows those records again with what they expand, as they are then.
func expandAfterBatch(e *core.BatchRequestEvent) error {
	var expansions []expansion
	for i, item := range e.Batch {
		at, err := url.Parse(item.URL)
		if err != nil || at.Query().Get("expand") == "" {
			continue
		}
		expansions = append(expansions, expansion{i, at})
		query := at.Query()
		query.Del("expand")
		query.Del("fields") // which may leave out the id by which the record is found again
		bare := *at
		bare.RawQuery = query.Encode()
		item.URL = bare.String()
	}
	if len(expansions) == 0 {
		return e.Next()
	}
	response, answered := e.Response, httptest.NewRecorder()
	e.Response = &router.ResponseWriter{ResponseWriter: answered}
	err := e.Next()
	e.Response = response
	if err != nil {
		return err
	}
	var results []batchResult
	if err := json.Unmarshal(answered.Body.Bytes(), &results); err != nil { // an owner's own answer
		for name, values := range answered.Header() {
			e.Response.Header()[name] = values
		}
		return e.Blob(answered.Code, answered.Header().Get("Content-Type"), answered.Body.Bytes())
	}
	for _, x := range expansions {
		if x.item < len(results) && results[x.item].Status == http.StatusOK {
			expandBatchResult(e.RequestEvent, e.Batch[x.item].Method, x.url, &results[x.item])
		}
	}
	return e.JSON(answered.Code, results)
}

// expandBatchResult shows the record of a result again, as the URL asks for it. The result of a record that is gone
// by then stays as it was.
func expandBatchResult(e *core.RequestEvent, method string, at *url.URL, result *batchResult) {
	var stored struct{ CollectionID, ID string }
	if json.Unmarshal(result.Body, &stored) != nil || stored.ID == "" {
		return // an owner's own answer
	}
	record, err := db.FindRecord(e.App, stored.CollectionID, stored.ID)
	if err == nil && record == nil {
		return // deleted since, by a later item perhaps
	}
	shown := httptest.NewRecorder()
	item := &core.RequestEvent{App: e.App, Auth: e.Auth}
	item.Request = e.Request.Clone(e.Request.Context())
	item.Request.Method, item.Request.URL, item.Request.Body, item.Request.ContentLength = method, at, http.NoBody, 0
	item.Response = &router.ResponseWriter{ResponseWriter: shown}
	item.Set(core.RequestEventKeyInfoContext, core.RequestInfoContextBatch)
	if err == nil {
		err = apis.EnrichRecord(item, record)
	}
	if err == nil {
		err = item.JSON(http.StatusOK, record)
	}
	if err != nil { // the batch is committed all the same
		e.App.Logger().Warn("show the record of a batch item", "collection", stored.CollectionID, "id", stored.ID, "err", err)
		return
	}
	result.Body = bytes.Clone(shown.Body.Bytes())
}
