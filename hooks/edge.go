package hooks

import (
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/edge"
	"doubletap/internal/fault"
)

func (s *Social) bindEdges() {
	s.app.OnRecordCreateRequest(edge.Collections()...).BindFunc(answer(edgeRequested))
	s.app.OnRecordCreate(edge.Collections()...).BindFunc(edgeOffered)
	s.app.OnRecordCreateExecute("saves", "mutes", "reports", "devices", "story_views").BindFunc(together(anchored))
}

// edgeRequested gives an edge its natural key, and answers one that is stored already
// with what is stored.
func edgeRequested(e *core.RecordRequestEvent) error {
	id := edge.Of(e.Record)
	if stored, err := e.App.FindRecordById(e.Collection, id); err == nil {
		return show(e, stored)
	}
	err := e.Next()
	if err == nil || !e.Record.IsNew() { // later items of a batch run inside Next: ours may be stored although they failed
		return err
	}
	if stored, met := e.Record.GetRaw(storedEdgeKey).(*core.Record); met {
		return show(e, stored)
	}
	if stored, found := e.App.FindRecordById(e.Collection, id); found == nil {
		return show(e, stored) // somebody stored it between our look and our write
	}
	return err
}

// storedEdgeKey is where a new edge keeps the same one that its transaction met. PocketBase never shows custom data under this prefix.
const storedEdgeKey = "@pbInternalDoubletapStored"

// meetStoredEdge ends a transaction that would store an edge again, and notes what is stored: once the transaction is over,
// it may be gone.
func meetStoredEdge(tx core.App, record *core.Record) error {
	stored, err := find(tx, record.Collection().Name, record.Id)
	if errors.Is(err, fault.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	record.SetRaw(storedEdgeKey, stored)
	return fault.Invalid("id", "validation_not_unique", "Value must be unique.")
}

func edgeOffered(e *core.RecordEvent) error {
	e.Record.Id = edge.Of(e.Record)
	return e.Next()
}

// show answers with a stored record, as a create would.
func show(e *core.RecordRequestEvent, stored *core.Record) error {
	e.Record = stored
	if err := apis.EnrichRecord(e.RequestEvent, stored); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, stored)
}
