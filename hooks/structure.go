package hooks

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/command"
	"doubletap/internal/db"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
)

// bindStructure keeps the collections that the product cannot do without, whoever changes them: the dashboard, an import
// with "delete missing", an owner's code. More fields, other rules and other limits are the owner's to choose.
func (s *Social) bindStructure() {
	s.app.OnCollectionDeleteRequest().Bind(&hook.Handler[*core.CollectionRequestEvent]{Func: collectionDeleting, Priority: first})
	s.app.OnCollectionDelete(guard.Collections...).Bind(&hook.Handler[*core.CollectionEvent]{
		Func: func(e *core.CollectionEvent) error { return needed("collections", neededWords(e.Collection.Name)) }, Priority: first,
	})
	s.app.OnCollectionUpdate().Bind(&hook.Handler[*core.CollectionEvent]{Func: collectionChanging, Priority: first})
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuth, Func: collectionTruncating})
		return e.Next()
	})
}

// collectionTruncating refuses to empty a collection of ours, for which PocketBase has no event. It deletes record after record
// in one transaction, while nobody else writes, and for ever where a deletion is a promise that a job keeps, as with users; and what
// other rows say of those that went, settings above all, would be wrong.
func collectionTruncating(e *core.RequestEvent) error {
	if e.Request.Pattern != "DELETE /api/collections/{collection}/truncate" || !e.HasSuperuserAuth() {
		return e.Next()
	}
	collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err == nil && slices.Contains(guard.Collections, collection.Name) { // else PocketBase says so
		return fault.Refused(fmt.Sprintf("Doubletap needs what is in the collection %s: it cannot be emptied at once. Delete the records that shall go.", collection.Name))
	}
	return e.Next()
}

func neededWords(collection string) string {
	return fmt.Sprintf("Doubletap needs the collection %s and what is in it: it cannot be deleted or renamed.", collection)
}

func needed(field, words string) error { return fault.Invalid(field, "validation_needed", words) }

// collectionDeleting says in the answer what PocketBase would only say in the log.
func collectionDeleting(e *core.CollectionRequestEvent) error {
	if slices.Contains(guard.Collections, e.Collection.Name) {
		return fault.Refused(neededWords(e.Collection.Name))
	}
	return e.Next()
}

// collectionChanging refuses a change that takes a name, a field or its type away that the product needs.
func collectionChanging(e *core.CollectionEvent) error {
	stored, err := e.App.FindCollectionByNameOrId(e.Collection.Id)
	if err != nil {
		return fmt.Errorf("find the collection %q that changes: %w", e.Collection.Name, err)
	}
	if !slices.Contains(guard.Collections, stored.Name) {
		return e.Next()
	}
	if e.Collection.Name != stored.Name {
		return needed("name", neededWords(stored.Name))
	}
	for _, field := range stored.Fields {
		// by its id, as PocketBase drops the column of an id that is no longer there
		if now := e.Collection.Fields.GetById(field.GetId()); now != nil && now.GetName() == field.GetName() && now.Type() == field.Type() {
			continue
		}
		ships, err := command.Ships(stored.Name, field.GetName())
		if err != nil {
			return err
		}
		if ships {
			return needed("fields", fmt.Sprintf("Doubletap needs the field %s.%s and what is in it: it cannot be deleted, renamed or given another type.", stored.Name, field.GetName()))
		}
	}
	return e.Next()
}

// structure remembers what is wrong with the shape of the data until that changes.
type structure struct {
	app core.App

	mu      sync.Mutex // guards the last look
	version string
	wrong   []command.Finding
}

// look returns an error when something is missing without which the service cannot do its work.
func (s *structure) look() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var version string
	_, err := db.Value(s.app, &version, `SELECT (SELECT schema_version FROM pragma_schema_version) || '/' || count(*) || '/' || max(updated) FROM _collections`, nil)
	if err != nil { //nolint:nilerr // strangers may ask, so that it tells no more
		return errors.New("the database cannot be read")
	}
	if version != s.version {
		wrong, err := command.Structure(s.app)
		if err != nil {
			return errors.New("the structure of the database cannot be read")
		}
		s.version, s.wrong = version, wrong
	}
	for _, finding := range s.wrong {
		if finding.Check == "collections" || finding.Check == "triggers" {
			return fmt.Errorf("the data lacks %d %s that the service needs: run doctor", finding.Count, finding.Check)
		}
	}
	return nil
}

// counts is how much differs from what ships, by check; strangers may ask, so it tells nothing more.
func (s *structure) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, finding := range s.wrong {
		counts[finding.Check] = finding.Count
	}
	return counts
}
