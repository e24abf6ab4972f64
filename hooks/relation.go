package hooks

import (
	"errors"
	"fmt"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// missingRelation is PocketBase's code for a relation to what is not there, and also for one that it could not look up.
const missingRelation = "validation_missing_rel_records"

// relationsValidated looks once more for what PocketBase did not find that a record points at. If all of it is there, or cannot be
// read now either, the record is not refused: it could not be looked at.
func relationsValidated(e *core.RecordEvent) error {
	err := e.Next()
	invalid, ok := errors.AsType[validation.Errors](err)
	if !ok {
		return err
	}
	for name, reason := range invalid {
		said, isCoded := errors.AsType[validation.Error](reason)
		relation, isRelation := e.Record.Collection().Fields.GetByName(name).(*core.RelationField)
		if !isCoded || said.Code() != missingRelation || !isRelation {
			continue
		}
		missing, readErr := anyMissing(e.App, relation.CollectionId, e.Record.GetStringSlice(name))
		switch {
		case readErr != nil:
			return fmt.Errorf("look for %s of a record of %s: %w", name, e.Record.Collection().Name, readErr)
		case !missing:
			return fmt.Errorf("look for %s of a record of %s: %w", name, e.Record.Collection().Name, fault.ErrUnread)
		}
	}
	return err
}

func anyMissing(app core.App, collection string, ids []string) (bool, error) {
	for _, id := range ids {
		record, err := db.FindRecord(app, collection, id)
		if err != nil || record == nil {
			return err == nil, err
		}
	}
	return false, nil
}
