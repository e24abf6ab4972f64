package hooks

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/visibility"
)

// PocketBase checks a rule before the transaction that stores the record. In between, another request may block,
// close, delete or suspend. So the rule that let a request in is checked again inside the transaction, while nobody
// else writes: see inRawTx.

// admissionKey is the key under which a record keeps the request that stores it. PocketBase never shows custom data
// under this prefix.
const admissionKey = "@pbInternalDoubletapRequest"

// attachRequest attaches to a record the request of the user or guest that is about to store it.
func attachRequest(e *core.RecordRequestEvent) (*core.RequestInfo, error) {
	info, err := e.RequestInfo()
	if err != nil {
		return nil, err
	}
	e.Record.SetRaw(admissionKey, info)
	return info, nil
}

// recheckAdmission refuses a record whose request would no longer be let in, in PocketBase's own words. It checks
// only once: what Go code does with the record later is no request.
func recheckAdmission(tx core.App, record *core.Record) error {
	asked, ok := record.GetRaw(admissionKey).(*core.RequestInfo)
	if !ok {
		return nil
	}
	record.SetRaw(admissionKey, nil)
	info := *asked
	if info.Auth != nil {
		auth, err := db.RequireRecord(tx, info.Auth.Collection().Name, info.Auth.Id)
		if err != nil && !errors.Is(err, fault.ErrGone) {
			return err
		}
		ended := err != nil || auth.TokenKey() != info.Auth.TokenKey() || auth.Collection().Name == "users" && auth.GetString("state") != account.Active
		if !ended {
			if ended, err = session.IsOver(tx, info.Auth); err != nil {
				return err
			}
		}
		if ended {
			return refusalOf(record)
		}
		info.Auth = auth
	}
	allowed, err := false, error(nil)
	if record.IsNew() {
		allowed, err = visibility.MayCreate(tx, record, &info)
	} else {
		allowed, err = tx.CanAccessRecord(record, &info, record.Collection().UpdateRule)
	}
	if err != nil {
		return fmt.Errorf("ask the rule of %s again: %w", record.Collection().Name, err)
	}
	if !allowed {
		return refusalOf(record)
	}
	if !record.IsNew() {
		return nil
	}
	d := collection.Describe(record.Collection().Name)
	switch {
	case len(d.Ends) > 0:
		err = refuseStoredEdge(tx, record)
	case d.ClientChoosesID:
		err = checkIDUnused(tx, record, &info)
	}
	if err != nil {
		return err
	}
	return takeAdded(tx, d, record)
}

// takeAdded counts a new row against the limit of the person whose it is, unless the transaction is rolled back. What is
// stored already has been refused before, so that a repeat is not counted.
func takeAdded(tx core.App, d *collection.Descriptor, record *core.Record) error {
	limits := limit.ForApp(tx)
	claim, limited := limits.ForAdded(d.Name, record.GetString(d.Owner))
	if !limited {
		return nil
	}
	if err := limits.Take(claim).Error(); err != nil {
		return err
	}
	tx.TxInfo().OnComplete(func(err error) error {
		if err != nil {
			limits.GiveBack(claim)
		}
		return nil
	})
	return nil
}

// refusalOf returns what PocketBase answers when a rule refuses: 400 for a create, 404 for an update.
func refusalOf(record *core.Record) error {
	if record.IsNew() {
		return fault.BadRequest("Failed to create record.")
	}
	return fault.NotFound()
}

// checkIDUnused refuses an id that was used before, or that belongs to a row which the caller does not see, in the
// words for a malformed id. For a row that the caller sees, PocketBase itself says that the id is not unique.
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
