package hooks

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/fault"
)

func (s *Social) bindEdges() {
	s.app.OnRecordCreateRequest(collection.EdgeNames()...).BindFunc(answerErrors(edgeRequested))
	s.app.OnRecordCreate(collection.EdgeNames()...).BindFunc(setEdgeID)
	for _, name := range collection.UnreadRelationNames() {
		handler := &hook.Handler[*core.RecordEvent]{Func: inTx(requireRelations)}
		if collection.Describe(name).Photos != "" {
			handler = afterFiles(handler.Func)
		}
		s.app.OnRecordCreateExecute(name).Bind(handler)
	}
}

// edgeRequested answers a create of an edge that is stored already with what is stored.
func edgeRequested(e *core.RecordRequestEvent) error {
	stored, err := findStoredEdge(e.App, e.Record)
	if err != nil {
		return err
	}
	if stored != nil {
		return respondRecord(e, stored)
	}
	err = e.Next()
	if err == nil || !e.Record.IsNew() { // later items of a batch run inside Next: our edge may be stored although they failed
		return err
	}
	if stored, met := e.Record.GetRaw(storedEdgeKey).(*core.Record); met {
		return respondRecord(e, stored)
	}
	if stored, lookErr := findStoredEdge(e.App, e.Record); lookErr == nil && stored != nil {
		return respondRecord(e, stored) // somebody stored it between our read and our write
	}
	return err
}

// storedEdgeKey is the key under which a new edge keeps the stored one that its transaction found. PocketBase never
// shows custom data under this prefix.
const storedEdgeKey = "@pbInternalDoubletapStored"

// refuseStoredEdge ends a transaction that would store an edge again, and keeps what is stored, which may be gone
// once the transaction is over.
func refuseStoredEdge(tx core.App, record *core.Record) error {
	stored, err := findStoredEdge(tx, record)
	if err != nil || stored == nil {
		return err
	}
	record.SetRaw(storedEdgeKey, stored)
	return fault.InvalidField("id", "validation_not_unique", "Value must be unique.")
}

// findStoredEdge returns the stored edge between the record's ends, or nil. Its id may differ from its natural key,
// when an import or an app before ours stored it.
func findStoredEdge(app core.App, record *core.Record) (*core.Record, error) {
	ends := dbx.HashExp{}
	for _, end := range collection.Describe(record.Collection().Name).Ends {
		ends[end] = record.GetString(end)
	}
	stored := &core.Record{}
	switch found, err := db.Found(app.RecordQuery(record.Collection()).AndWhere(ends).Limit(1).One(stored)); {
	case err != nil:
		return nil, fmt.Errorf("find the row of %s between the same ends: %w", record.Collection().Name, err)
	case !found:
		return nil, nil
	}
	return stored, nil
}

// setEdgeID gives a new edge its natural key as its id.
func setEdgeID(e *core.RecordEvent) error {
	e.Record.Id = edgeid.IDOfRecord(e.Record)
	return e.Next()
}

// respondRecord answers with a stored record, as a create of it would.
func respondRecord(e *core.RecordRequestEvent, stored *core.Record) error {
	e.Record = stored
	if err := apis.EnrichRecord(e.RequestEvent, stored); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, stored)
}
