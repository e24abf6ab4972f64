package hooks

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// bindStructure keeps the collections that the product cannot do without, whoever changes them: the dashboard, an
// import with "delete missing", an owner's code. Further fields, other rules and other limits are the owner's choice.
func (s *Social) bindStructure() {
	s.app.OnCollectionDeleteRequest().Bind(&hook.Handler[*core.CollectionRequestEvent]{Func: refuseCollectionDelete, Priority: firstPriority})
	s.app.OnCollectionDelete(collection.Names()...).Bind(&hook.Handler[*core.CollectionEvent]{
		Func: func(e *core.CollectionEvent) error { return errNeeded("collections", neededMessage(e.Collection.Name)) }, Priority: firstPriority,
	})
	s.app.OnCollectionUpdate().Bind(&hook.Handler[*core.CollectionEvent]{Func: checkCollectionChange, Priority: firstPriority})
	s.app.OnCollectionCreate().Bind(&hook.Handler[*core.CollectionEvent]{
		Func: func(e *core.CollectionEvent) error {
			if err := checkReferences(e.App, e.Collection, nil); err != nil {
				return err
			}
			return e.Next()
		}, Priority: firstPriority,
	})
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: refuseTruncate})
		return e.Next()
	})
}

// refuseTruncate refuses to empty a collection of ours, for which PocketBase has no event. PocketBase deletes record
// after record in one transaction, while nobody else writes, and without end where a deletion is only a promise that
// a job keeps, as with users. And what other rows say of those that went, settings above all, would be wrong.
func refuseTruncate(e *core.RequestEvent) error {
	if e.Request.Pattern != "DELETE /api/collections/{collection}/truncate" || !e.HasSuperuserAuth() {
		return e.Next()
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err == nil && collection.IsOurs(c.Name) { // else PocketBase says so
		return fault.BadRequest(fmt.Sprintf("Doubletap needs what is in the collection %s: it cannot be emptied at once. Delete the records that shall go.", c.Name))
	}
	return e.Next()
}

func neededMessage(collection string) string {
	return fmt.Sprintf("Doubletap needs the collection %s and what is in it: it cannot be deleted or renamed.", collection)
}

func errNeeded(field, words string) error {
	return fault.InvalidField(field, "validation_needed", words)
}

// refuseCollectionDelete answers with the reason that PocketBase would only log.
func refuseCollectionDelete(e *core.CollectionRequestEvent) error {
	if collection.IsOurs(e.Collection.Name) {
		return fault.BadRequest(neededMessage(e.Collection.Name))
	}
	return e.Next()
}

// checkCollectionChange refuses a change that takes away a name, a field or a field's type that the product needs, or
// what its rows hold.
func checkCollectionChange(e *core.CollectionEvent) error {
	stored, err := e.App.FindCollectionByNameOrId(e.Collection.Id)
	if err != nil {
		return fmt.Errorf("find the collection %q that changes: %w", e.Collection.Name, err)
	}
	if err := checkReferences(e.App, e.Collection, stored.Fields); err != nil {
		return err
	}
	if !collection.IsOurs(stored.Name) {
		return e.Next()
	}
	if e.Collection.Name != stored.Name {
		return errNeeded("name", neededMessage(stored.Name))
	}
	if stored.Name == "feed" && (len(e.Collection.Fields) > len(stored.Fields) || len(e.Collection.Indexes) > 0) {
		return errNeeded("fields", "The feed is a view of follows and posts: it cannot have fields or indexes of its own.")
	}
	for _, field := range stored.Fields {
		// by its id, as PocketBase drops the column of an id that is no longer there
		if now := e.Collection.Fields.GetById(field.GetId()); now != nil && now.GetName() == field.GetName() && now.Type() == field.Type() && isMultiple(now) == isMultiple(field) {
			continue
		}
		ships, err := cli.HasShippedField(stored.Name, field.GetName())
		if err != nil {
			return err
		}
		if ships {
			return errNeeded("fields", fmt.Sprintf("Doubletap needs the field %s.%s and what is in it: it cannot be deleted, renamed, given another type, or hold one value in place of several or several in place of one.", stored.Name, field.GetName()))
		}
	}
	return e.Next()
}

// isMultiple reports whether a field holds several values. PocketBase keeps the last one alone of each row, and its file,
// when a field that held several becomes one that holds one.
func isMultiple(field core.Field) bool {
	several, ok := field.(core.MultiValuer)
	return ok && several.IsMultiple()
}

// checkReferences refuses a new relation of an owner's to rows that come and go with the work of the service.
func checkReferences(app core.App, c *core.Collection, before core.FieldsList) error {
	for _, field := range c.Fields {
		relation, ok := field.(*core.RelationField)
		if !ok || before.GetById(relation.Id) != nil { // PocketBase lets no relation change what it points at
			continue
		}
		to, found, err := db.Optional(app.FindCachedCollectionByNameOrId(relation.CollectionId))
		if err != nil {
			return fmt.Errorf("find what %s.%s points at: %w", c.Name, relation.Name, err)
		}
		if found && collection.Describe(to.Name).NoReferences {
			return errNeeded("fields", fmt.Sprintf("Doubletap deletes the rows of %s when it has done with them: %s cannot point at them.", to.Name, relation.Name))
		}
	}
	return nil
}

// structureCheck remembers what is wrong with the structure of the data until the structure changes.
type structureCheck struct {
	app core.App

	mu            sync.Mutex // guards all below
	schemaVersion string
	findings      []cli.Finding
}

// checkRequired returns an error if something is missing that the service cannot work without.
func (s *structureCheck) checkRequired() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var version string
	_, err := db.QueryValue(s.app, &version, `SELECT (SELECT schema_version FROM pragma_schema_version) || '/' || count(*) || '/' || max(updated) FROM _collections`, nil)
	if err != nil { //nolint:nilerr // strangers may ask, so that it tells no more
		return errors.New("the database cannot be read")
	}
	if version != s.schemaVersion {
		wrong, err := cli.CheckStructure(context.Background(), s.app)
		if err != nil {
			return errors.New("the structure of the database cannot be read")
		}
		s.schemaVersion, s.findings = version, wrong
	}
	for _, finding := range s.findings {
		if finding.Check == "collections" || finding.Check == "triggers" {
			return fmt.Errorf("the data lacks %d %s that the service needs: run doctor", finding.Count, finding.Check)
		}
	}
	return nil
}

// findingCounts returns how many things differ from what ships, by check. Strangers may ask, so it tells nothing
// more.
func (s *structureCheck) findingCounts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, finding := range s.findings {
		counts[finding.Check] = finding.Count
	}
	return counts
}
