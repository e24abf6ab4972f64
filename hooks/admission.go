package hooks

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/account"
	"doubletap/internal/db"
	"doubletap/internal/edge"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
	"doubletap/internal/rule"
)

// PocketBase asks a rule before the transaction that stores the record. In between another request may block, close,
// delete or suspend. So what let a request in is asked again inside, where the only writer is this one: see inRawTx.

// admissionKey is where a record keeps the request that it comes by. PocketBase never shows custom data under this prefix.
const admissionKey = "@pbInternalDoubletapRequest"

// attachRequest notes on a record the user's or guest's request that is about to store it.
func attachRequest(e *core.RecordRequestEvent) error {
	info, err := e.RequestInfo()
	if err != nil {
		return err
	}
	e.Record.SetRaw(admissionKey, info)
	return nil
}

// recheckAdmission refuses a record whose request would not be let in any more, in PocketBase's own words. It does so once: what
// Go code does with the record later is no request.
func recheckAdmission(tx core.App, record *core.Record) error {
	asked, ok := record.GetRaw(admissionKey).(*core.RequestInfo)
	if !ok {
		return nil
	}
	record.SetRaw(admissionKey, nil)
	info := *asked
	if info.Auth != nil {
		auth, err := findRecord(tx, info.Auth.Collection().Name, info.Auth.Id)
		if err != nil && !errors.Is(err, fault.ErrGone) {
			return err
		}
		ended := err != nil || auth.TokenKey() != info.Auth.TokenKey() || auth.Collection().Name == "users" && auth.GetString("state") != account.Active
		if ended {
			return refusalOf(record)
		}
		info.Auth = auth
	}
	allowed, err := false, error(nil)
	if record.IsNew() {
		allowed, err = rule.MayCreate(tx, record, &info)
	} else {
		allowed, err = tx.CanAccessRecord(record, &info, record.Collection().UpdateRule)
	}
	if err != nil {
		return fmt.Errorf("ask the rule of %s again: %w", record.Collection().Name, err)
	}
	if !allowed {
		return refusalOf(record)
	}
	if _, isEdge := edge.Ends[record.Collection().Name]; isEdge && record.IsNew() {
		return refuseStoredEdge(tx, record)
	}
	if record.IsNew() && guard.ClientChoosesID(record.Collection().Name) {
		return checkIDUnused(tx, record, &info)
	}
	return nil
}

// refusalOf is what PocketBase answers when a rule says no.
func refusalOf(record *core.Record) error {
	if record.IsNew() {
		return fault.BadRequest("Failed to create record.")
	}
	return fault.NotFound()
}

// checkIDUnused refuses an id that was used before, or is of a row that the caller does not see, in the words for one that is
// malformed. Of a row that the caller sees PocketBase says that it is not unique.
func checkIDUnused(tx core.App, record *core.Record, info *core.RequestInfo) error {
	c := record.Collection()
	var gone, there bool
	if _, err := db.QueryRow(tx, `SELECT EXISTS (SELECT 1 FROM gone_ids WHERE id = {:id}), EXISTS (SELECT 1 FROM `+c.Name+` WHERE id = {:id})`,
		db.Params{"id": record.Id}, &gone, &there); err != nil {
		return fmt.Errorf("look for id %s: %w", record.Id, err)
	}
	if there {
		seen, err := tx.CanAccessRecord(record, info, c.ViewRule)
		if err != nil {
			return fmt.Errorf("ask the view rule of %s: %w", c.Name, err)
		}
		gone = !seen
	}
	if gone {
		return fault.InvalidField("id", "validation_invalid_format", "Invalid value format.")
	}
	return nil
}
