package hooks

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/edge"
	"doubletap/internal/fault"
)

func (s *Social) bindEdges() {
	s.app.OnRecordCreateRequest(edge.CollectionNames()...).BindFunc(answerErrors(edgeRequested))
	s.app.OnRecordCreate(edge.CollectionNames()...).BindFunc(setEdgeID)
	s.app.OnRecordCreateExecute("saves", "mutes", "reports", "devices", "story_views").BindFunc(inTx(requireRelations))
}

// edgeRequested gives an edge its natural key, and answers one that is stored already
// with what is stored.
func edgeRequested(e *core.RecordRequestEvent) error {
	stored, err := findStoredEdge(e.App, e.Record)
	if err != nil {
		return err
	}
	if stored != nil {
		return respondRecord(e, stored)
	}
	err = e.Next()
	if err == nil || !e.Record.IsNew() { // later items of a batch run inside Next: ours may be stored although they failed
		return err
	}
	if stored, met := e.Record.GetRaw(storedEdgeKey).(*core.Record); met {
		return respondRecord(e, stored)
	}
	if stored, lookErr := findStoredEdge(e.App, e.Record); lookErr == nil && stored != nil {
		return respondRecord(e, stored) // somebody stored it between our look and our write
	}
	return err
}

// storedEdgeKey is where a new edge keeps the same one that its transaction met. PocketBase never shows custom data under this prefix.
const storedEdgeKey = "@pbInternalDoubletapStored"

// refuseStoredEdge ends a transaction that would store an edge again, and notes what is stored: once the transaction is over,
// it may be gone.
func refuseStoredEdge(tx core.App, record *core.Record) error {
	stored, err := findStoredEdge(tx, record)
	if err != nil || stored == nil {
		return err
	}
	record.SetRaw(storedEdgeKey, stored)
	return fault.InvalidField("id", "validation_not_unique", "Value must be unique.")
}

// findStoredEdge returns the stored edge between the same ends, or nil. It may have another id than its natural key, when an
// import or an app before ours stored it.
func findStoredEdge(app core.App, like *core.Record) (*core.Record, error) {
	ends := dbx.HashExp{}
	for _, end := range edge.Ends[like.Collection().Name] {
		ends[end] = like.GetString(end)
	}
	stored := &core.Record{}
	switch found, err := db.Found(app.RecordQuery(like.Collection()).AndWhere(ends).Limit(1).One(stored)); {
	case err != nil:
		return nil, fmt.Errorf("find the row of %s between the same ends: %w", like.Collection().Name, err)
	case !found:
		return nil, nil
	}
	return stored, nil
}

func setEdgeID(e *core.RecordEvent) error {
	e.Record.Id = edge.IDOfRecord(e.Record)
	return e.Next()
}

// respondRecord answers with a stored record, as a create would.
func respondRecord(e *core.RecordRequestEvent, stored *core.Record) error {
	e.Record = stored
	if err := apis.EnrichRecord(e.RequestEvent, stored); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, stored)
}
