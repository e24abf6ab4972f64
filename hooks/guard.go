package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/limit"
)

// firstPriority and lastPriority are before and after all other handlers, an owner's too.
const (
	firstPriority = -10000
	lastPriority  = 10000
)

func (s *Social) bindGuard() {
	ours := guard.GuardedCollections
	s.app.OnRecordCreateRequest(ours...).Bind(&hook.Handler[*core.RecordRequestEvent]{Func: answerErrors(recordRequested), Priority: firstPriority})
	s.app.OnRecordUpdateRequest(ours...).Bind(&hook.Handler[*core.RecordRequestEvent]{Func: answerErrors(recordChangeRequested), Priority: firstPriority})
	s.app.OnRecordCreate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: answerErrors(deriveRecordFields), Priority: firstPriority})
	s.app.OnRecordUpdate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: answerErrors(limitUpdateToChanges), Priority: firstPriority})
	s.app.OnRecordUpdate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: rederiveRecordFields, Priority: lastPriority})
	s.app.OnRecordValidate().BindFunc(relationsValidated)
	s.app.OnRecordCreateExecute(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordStored, Priority: firstPriority})
	s.app.OnRecordUpdateExecute(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordStored, Priority: firstPriority})
}

// recordRequested takes back what a client sent for the server's fields and, unless clients choose it, the id. It
// writes the caller into the owner's field.
func recordRequested(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	guard.RestoreServerFields(e.Record)
	d := collection.Describe(e.Collection.Name)
	if d.Owner != "" {
		// The rule has made sure that the field is empty or names the caller; an id
		// of another auth collection belongs to nobody here.
		if e.Auth == nil || e.Auth.Collection().Name != "users" || e.Auth.GetString("state") != account.Active {
			return fault.BadRequest("Failed to create record.")
		}
		e.Record.Set(d.Owner, e.Auth.Id)
	}
	if !d.ClientChoosesID {
		e.Record.Id = ""
	}
	if _, err := attachRequest(e); err != nil {
		return err
	}
	if d.Owner != "" {
		if err := limit.ForApp(e.App).LoadAdded(e.App, d.Name, e.Auth.Id); err != nil {
			return err
		}
	}
	return e.Next()
}

func recordChangeRequested(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	guard.RestoreServerFields(e.Record)
	info, err := attachRequest(e)
	if err != nil {
		return err
	}
	if _, gives := info.Body["oldPassword"]; gives && e.Auth != nil && e.Collection.IsAuth() {
		return provePassword(e.RequestEvent, e.Next)
	}
	return e.Next()
}

func deriveRecordFields(e *core.RecordEvent) error {
	guard.RestoreDerived(e.Record)
	return e.Next()
}

// limitUpdateToChanges lets an update write only what it changes, so that somebody else's change of another field in
// the meantime stays.
func limitUpdateToChanges(e *core.RecordEvent) error {
	guard.BeginUpdate(e.Record)
	guard.RestoreDerived(e.Record)
	return e.Next()
}

// recordStored notes what was stored, for the next time that the same instance is saved.
func recordStored(e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	return guard.NoteStored(e.App, e.Record)
}

// rederiveRecordFields restores derived fields once more, whatever later handlers did to them.
func rederiveRecordFields(e *core.RecordEvent) error {
	guard.RestoreDerived(e.Record)
	return e.Next()
}

// hasChanged reports whether an update changes one of the fields.
func hasChanged(record *core.Record, fields ...string) bool {
	before := record.Original()
	return slices.ContainsFunc(fields, func(f string) bool { return before.GetString(f) != record.GetString(f) })
}
