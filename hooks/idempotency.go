package hooks

import (
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/idempotency"
	"github.com/doubletap/doubletap/internal/web"
)

// A create that is sent again with the same key is answered with the record that its first try stored. The row of the
// key is stored together with the record. So the answer is made anew from the record, with what this request expands:
// what was answered first is known only after the commit, and would be lost in a crash before it is stored.
const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotent-Replayed"

	requestKey = "doubletap.idempotency"           // under which a request keeps its key
	recordKey  = "@pbInternalDoubletapIdempotency" // and the record that it is about to store
)

func (s *Social) bindIdempotency() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		// Within the budget of queries and the limits of statements: a repeat is answered here, and expands what it asks for.
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: generalPathPriority + 1, Func: func(e *core.RequestEvent) error {
			if e.Request.Pattern != web.CreatePattern {
				return e.Next()
			}
			return createOnce(e, e.Next, nil)
		}})
		return e.Next()
	})
	s.app.OnBatchRequest().Bind(&hook.Handler[*core.BatchRequestEvent]{Priority: firstPriority, Func: refuseBatchKey})
	s.app.OnRecordCreateRequest().Bind(&hook.Handler[*core.RecordRequestEvent]{Priority: lastPriority, Func: attachKey})
	s.app.OnRecordCreateExecute().Bind(&hook.Handler[*core.RecordEvent]{Priority: lastPriority, Func: storeWithKey})
}

// AcceptIdempotencyKeys lets users send an Idempotency-Key with what they create in an owner's own collections, as they
// can with posts, comments and stories: a create that is sent again within a day with the same key and body stores
// nothing, and is answered with the stored record, or with 404 where the caller may not view it. Call it before the app
// starts.
func (s *Social) AcceptIdempotencyKeys(collections ...string) {
	idempotency.Accept(s.app, collections)
}

// Items of a batch do not pass the router, and an upsert needs no key.
func init() {
	create := batchAction(http.MethodPost)
	add := apis.ValidBatchActions[create]
	apis.ValidBatchActions[create] = func(app core.App, ir *core.InternalRequest, params map[string]string, next func(any) error) apis.HandleFunc {
		created := add(app, ir, params, next)
		return func(e *core.RequestEvent) error {
			return createOnce(e, func() error { return created(e) }, next)
		}
	}
}

// refuseBatchKey refuses a key of a whole batch, which PocketBase would give to each of its items.
func refuseBatchKey(e *core.BatchRequestEvent) error {
	if len(e.Request.Header.Values(idempotencyHeader)) > 0 {
		return fault.BadRequest("A batch has no Idempotency-Key: give each of its items one of its own.")
	}
	return e.Next()
}

// createOnce runs a create unless it was done with the same key before; then it answers with what was stored. Within a
// batch next runs the items behind this one.
//
// Of two at the same time, one finds in its transaction that the other was first, and is answered like a later repeat.
// A batch holds the writer from its beginning, so nobody can be first meanwhile.
func createOnce(e *core.RequestEvent, create func() error, next func(record any) error) error {
	key, err := keyOf(e)
	if err != nil {
		return err
	}
	if key == nil {
		return create()
	}
	record, err := respondStored(e, key)
	switch {
	case err != nil:
		return err
	case record != nil && next != nil:
		return next(record)
	case record != nil:
		return nil
	}
	e.Set(requestKey, key)
	failure := create()
	if failure == nil || next != nil || e.Written() {
		return failure
	}
	if record, err = respondStored(e, key); record != nil || err != nil {
		return err
	}
	return failure
}

// keyOf returns the key of a user's create: what the client sent as one, else the id that it chose. It is nil if there
// is none.
func keyOf(e *core.RequestEvent) (*idempotency.Key, error) {
	if e.Auth == nil || e.Auth.Collection().Name != "users" {
		return nil, nil
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || !idempotency.IsAccepted(e.App, c.Name) {
		return nil, nil //nolint:nilerr // PocketBase says that there is no such collection
	}
	key := &idempotency.Key{User: e.Auth.Id}
	sent := e.Request.Header.Values(idempotencyHeader)
	choosesID := collection.Describe(c.Name).ClientChoosesID
	switch {
	case len(sent) == 0 && !choosesID:
		return nil, nil
	case len(sent) > 1 || len(sent) == 1 && !idempotency.IsValidName(sent[0]):
		return nil, fault.BadRequest("The Idempotency-Key must be 1 to 255 visible ASCII characters.")
	case len(sent) == 1:
		key.Name = sent[0]
	}
	info, err := e.RequestInfo()
	if err != nil { // as PocketBase would say it
		if answer, ok := errors.AsType[*router.ApiError](err); ok {
			return nil, answer
		}
		return nil, e.BadRequestError("", err)
	}
	if key.Name == "" {
		id := cast.ToString(info.Body[core.FieldNameId])
		if id == "" {
			return nil, nil
		}
		key.Name, key.IsID = idempotency.NameOfID(c.Name, id), true
	}
	key.Hash, err = idempotency.HashRequest(c, info.Body, e.Request.MultipartForm)
	return key, fault.ForClient(err)
}

// respondStored answers with the record that was stored with a key, as it is now, and returns it; nil if there is none.
// The error is PocketBase's 404 if the record is gone, or no longer for the caller. With an id for a key it is none,
// whatever else the request has: who chooses an id that was used is told so as always.
func respondStored(e *core.RequestEvent, key *idempotency.Key) (record *core.Record, err error) {
	id, hash, err := idempotency.FindRecord(e.App, key)
	if err != nil || id == "" {
		return nil, fault.ForClient(err)
	}
	err = web.AnswerAsRead(e, func() error {
		found, err := findVisible(e, id)
		switch {
		case err != nil:
			return fault.ForClient(err)
		case found == nil && key.IsID:
			return nil
		case hash != key.Hash:
			return router.NewApiError(http.StatusUnprocessableEntity, "The key was used for another request.", nil)
		case found == nil:
			return fault.NotFound()
		}
		if err := apis.EnrichRecord(e, found); err != nil {
			return fault.ForClient(err)
		}
		record = found
		e.Response.Header().Set(replayedHeader, "true")
		return e.JSON(http.StatusOK, found)
	})
	return record, err
}

// findVisible returns a record of the collection of a request, nil if it is gone or not for the caller.
func findVisible(e *core.RequestEvent, id string) (*core.Record, error) {
	record, err := db.FindRecord(e.App, e.Request.PathValue("collection"), id)
	if err != nil || record == nil {
		return nil, err
	}
	info, err := e.RequestInfo()
	if err != nil {
		return nil, err
	}
	visible, err := e.App.CanAccessRecord(record, info, record.Collection().ViewRule)
	if err != nil || !visible {
		return nil, err
	}
	return record, nil
}

// attachKey attaches the key of a request to the record that it is about to store.
func attachKey(e *core.RecordRequestEvent) error {
	if key := e.Get(requestKey); key != nil {
		e.Record.SetRaw(recordKey, key)
	}
	return e.Next()
}

// storeWithKey stores the key of a record together with it.
func storeWithKey(e *core.RecordEvent) error {
	key, ok := e.Record.GetRaw(recordKey).(*idempotency.Key)
	if !ok {
		return e.Next()
	}
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := idempotency.Store(tx, key, e.Record.Id); err != nil {
			return err
		}
		return e.Next()
	})
}
