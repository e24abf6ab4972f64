package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/account"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
)

// first and last are the places around all other handlers, an owner's too.
const (
	first = -10000
	last  = 10000
)

func (s *Social) bindGuard() {
	ours := guard.Guarded
	s.app.OnRecordCreateRequest(ours...).Bind(&hook.Handler[*core.RecordRequestEvent]{Func: answer(recordRequested), Priority: first})
	s.app.OnRecordUpdateRequest(ours...).Bind(&hook.Handler[*core.RecordRequestEvent]{Func: answer(changeRequested), Priority: first})
	s.app.OnRecordCreate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: answer(recordOffered), Priority: first})
	s.app.OnRecordUpdate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: answer(recordChanged), Priority: first})
	s.app.OnRecordUpdate(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordWritten, Priority: last})
	s.app.OnRecordValidate().BindFunc(relationsValidated)
	s.app.OnRecordCreateExecute(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordStored, Priority: first})
	s.app.OnRecordUpdateExecute(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordStored, Priority: first})
	s.app.OnRecordDelete(ours...).Bind(&hook.Handler[*core.RecordEvent]{Func: recordDeleted, Priority: first})
}

// recordRequested takes the server's fields and id back and writes who is asking into the owner's field.
func recordRequested(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	guard.Keep(e.Record)
	if owner, owned := guard.Owners[e.Collection.Name]; owned {
		// The rule has seen to it that the field is empty or names the caller; an id
		// from another auth collection is nobody here.
		if e.Auth == nil || e.Auth.Collection().Name != "users" || e.Auth.GetString("state") != account.Active {
			return fault.Refused("Failed to create record.")
		}
		e.Record.Set(owner, e.Auth.Id)
	}
	if !guard.ChoosesID(e.Collection.Name) {
		e.Record.Id = ""
	}
	if err := keepRequest(e); err != nil {
		return err
	}
	return e.Next()
}

func changeRequested(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	guard.Keep(e.Record)
	if err := keepRequest(e); err != nil {
		return err
	}
	return e.Next()
}

func recordOffered(e *core.RecordEvent) error {
	guard.Derive(e.Record)
	return e.Next()
}

// recordChanged lets an update write only what it changes: somebody else's
// change of another field in the meantime stays.
func recordChanged(e *core.RecordEvent) error {
	guard.BeginUpdate(e.Record)
	guard.Derive(e.Record)
	return e.Next()
}

// recordStored notes what was stored, for the next time that the same instance is saved.
func recordStored(e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	return guard.Stored(e.App, e.Record)
}

// recordWritten takes derived fields back once more, from whatever later handlers did.
func recordWritten(e *core.RecordEvent) error {
	guard.Derive(e.Record)
	return e.Next()
}

// recordDeleted lets PocketBase's own words about a delete pass, but not a full disk as the client's mistake.
func recordDeleted(e *core.RecordEvent) error {
	err := e.Next()
	if err != nil && fault.Passing(err) {
		return fault.Answer(err)
	}
	return err
}

// changed reports whether an update moves one of the fields.
func changed(record *core.Record, fields ...string) bool {
	before := record.Original()
	return slices.ContainsFunc(fields, func(f string) bool { return before.GetString(f) != record.GetString(f) })
}
