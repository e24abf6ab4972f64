package moderation

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// AuditEntry is a row of audit: who did what to whom, and when.
type AuditEntry struct {
	Actor  string          `json:"actor"` // collection and id
	Action string          `json:"action"`
	Target string          `json:"target"` // collection and id
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	At     string          `json:"at"`
}

// recordAudit stores the decision in audit, in its transaction. It uses SQL, so that no hook runs and none can prevent
// it.
func (d Decision) recordAudit(tx core.App, target *core.Record, before, after map[string]any) error {
	was, err := json.Marshal(before)
	if err != nil {
		return err
	}
	is, err := json.Marshal(after)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `INSERT INTO audit (id, actor, action, target, before, after, requestId, created, updated)
		VALUES (`+db.NewIDSQL+`, {:actor}, {:action}, {:target}, {:before}, {:after}, {:request}, {:now}, {:now})`, db.Params{
		"actor": recordName(d.By), "action": d.Action, "target": recordName(target),
		"before": string(was), "after": string(is), "request": d.RequestID, "now": clock.Timestamp(tx),
	})
	if err != nil {
		return fmt.Errorf("audit %s of %s: %w", d.Action, recordName(target), err)
	}
	return nil
}

// recordName returns the name of a record as audit stores it: COLLECTION/ID.
func recordName(record *core.Record) string { return record.Collection().Name + "/" + record.Id }

// maxHistory is how many earlier decisions about one thing a moderator is shown.
const maxHistory = 10

// findHistory returns the latest decisions about any of the targets, the newest first.
func findHistory(app core.App, targets []string) ([]AuditEntry, error) {
	rows := []struct {
		Actor, Action, Target, Before, After, Created string
	}{}
	err := db.QueryAll(app, &rows, `SELECT actor, action, target, coalesce(before, '{}') before, coalesce(after, '{}') after, created FROM audit
		WHERE target IN (SELECT value FROM json_each({:targets})) ORDER BY created DESC, id DESC LIMIT {:n}`,
		db.Params{"targets": db.JSONList(targets), "n": maxHistory})
	if err != nil {
		return nil, fmt.Errorf("read the history of %v: %w", targets, err)
	}
	entries := make([]AuditEntry, len(rows))
	for i, r := range rows {
		entries[i] = AuditEntry{r.Actor, r.Action, r.Target, json.RawMessage(r.Before), json.RawMessage(r.After), r.Created}
	}
	return entries, nil
}
