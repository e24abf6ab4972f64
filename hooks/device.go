package hooks

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/sweep"
)

func (s *Social) bindDevices() {
	s.app.OnRecordCreateRequest("devices").BindFunc(answerErrors(deviceRequested))
	s.app.OnRecordUpdateRequest("devices").BindFunc(answerErrors(deviceChangeRequested))
	s.app.OnRecordCreate("devices").BindFunc(answerErrors(checkDeviceEndpoint))
	s.app.OnRecordUpdate("devices").BindFunc(answerErrors(checkDeviceEndpoint))
	s.app.OnRecordCreateExecute("devices").BindFunc(inTx(deviceStored))
	s.app.OnRecordUpdateExecute("devices").BindFunc(inTx(deviceStored))
}

// deviceRequested registers a device, or gives a known one to the user who is signed in on it now. It checks once
// more, in the transaction, whether the caller's credential is still valid: a device outlives the token that
// registered it.
func deviceRequested(e *core.RecordRequestEvent) error {
	app, moved := e.App, (*core.Record)(nil)
	defer func() { e.App = app }()
	err := app.RunInTransaction(func(tx core.App) (err error) {
		e.App = tx
		if current, err := isCredentialCurrent(tx, e.Auth); err != nil || !current {
			return cmp.Or(err, fault.BadRequest("Failed to create record."))
		}
		e.Record.Set("lastSeen", clock.Timestamp(tx))
		e.Record.Set("session", session.Of(e.Auth))
		known, err := deviceByEndpoint(tx, e.Record)
		switch {
		case err != nil:
			return err
		case known == nil:
			return e.Next()
		}
		moved, err = moveDevice(tx, known, e.Record)
		return err
	})
	if err != nil || moved == nil {
		return err
	}
	e.App = app
	return respondRecord(e, moved)
}

// deviceByEndpoint returns the other device that has the record's endpoint, or nil.
func deviceByEndpoint(tx core.App, record *core.Record) (*core.Record, error) {
	endpoint := push.NormalizeEndpoint(record.GetString("kind"), record.GetString("endpoint"))
	known, found, err := db.Optional(tx.FindFirstRecordByFilter("devices", "endpoint = {:e} && id != {:id}", dbx.Params{"e": endpoint, "id": record.Id}))
	if err != nil {
		return nil, fmt.Errorf("find the device of an endpoint: %w", err)
	}
	if !found {
		return nil, nil
	}
	return known, nil
}

// moveDevice gives a known device to the user of the record. An endpoint alone may have been seen in a log or on the
// wire; its keys are in the browser and nowhere else, so another user must send the same keys.
func moveDevice(tx core.App, known, record *core.Record) (*core.Record, error) {
	if known.GetString("user") != record.GetString("user") && !haveSameKeys(known, record) {
		return nil, fault.BadRequest("Failed to create record.")
	}
	for _, field := range []string{"user", "kind", "keys", "name", "lastSeen", "session"} {
		known.Set(field, record.Get(field))
	}
	return known, tx.Save(known)
}

func haveSameKeys(a, b *core.Record) bool {
	var as, bs map[string]any
	if a.UnmarshalJSONField("keys", &as) != nil || b.UnmarshalJSONField("keys", &bs) != nil {
		return false
	}
	return a.GetString("kind") == b.GetString("kind") && reflect.DeepEqual(as, bs)
}

// deviceChangeRequested refuses to change an endpoint into one that is known: a device moves only by being registered
// again. Its words do not reveal that the endpoint is known.
func deviceChangeRequested(e *core.RecordRequestEvent) error {
	other, err := deviceByEndpoint(e.App, e.Record)
	if err != nil {
		return err
	}
	if other != nil {
		return fault.BadRequest("Failed to update record.")
	}
	return e.Next()
}

// checkDeviceEndpoint refuses an endpoint that no device can have, whoever writes it, since the server sends requests
// to it.
func checkDeviceEndpoint(e *core.RecordEvent) error {
	kind := e.Record.GetString("kind")
	e.Record.Set("endpoint", push.NormalizeEndpoint(kind, e.Record.GetString("endpoint")))
	if err := push.CheckEndpoint(outbound.ClientOf(e.App), kind, e.Record.GetString("endpoint")); err != nil {
		return fault.InvalidField("endpoint", "validation_invalid_endpoint", "Must be the address of a push service, or the token of a phone.")
	}
	return e.Next()
}

// deviceStored makes room for a device that is new to its person. When the endpoint changes, what the former one
// answered is forgotten.
func deviceStored(tx core.App, e *core.RecordEvent) error {
	if !e.Record.IsNew() {
		stored, err := db.RequireRecord(tx, "devices", e.Record.Id)
		if err != nil {
			return err
		}
		if stored.GetString("endpoint") != e.Record.GetString("endpoint") {
			e.Record.Set("answeredAt", "")
			e.Record.Set("failingSince", "")
		}
	}
	if err := e.Next(); err != nil {
		return err
	}
	return dropUnseenDevices(tx, e.Record)
}

// dropUnseenDevices leaves a person reconcile.MaxDevices devices: one more replaces the one that was unseen for
// longest.
func dropUnseenDevices(tx core.App, stored *core.Record) error {
	dropped, err := sweep.DeleteRows(tx, "devices", `id IN (SELECT id FROM devices WHERE user = {:u} AND id != {:id}
		ORDER BY max(lastSeen, created) DESC, id LIMIT -1 OFFSET {:others})`,
		db.Params{"u": stored.GetString("user"), "id": stored.Id, "others": reconcile.MaxDevices - 1})
	if err != nil {
		return fmt.Errorf("drop devices of %s beyond %d: %w", stored.GetString("user"), reconcile.MaxDevices, err)
	}
	for _, id := range dropped {
		tx.Logger().Info("device replaced", "device", id, "by", stored.Id, "account", stored.GetString("user"))
	}
	return nil
}
