package moderation

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// Entry is a row of audit: who did what to whom.
type Entry struct {
	Actor  string          `json:"actor"` // collection and id
	Action string          `json:"action"`
	Target string          `json:"target"` // collection and id
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	At     string          `json:"at"`
}

// trace records the decision, in its transaction. By SQL: nothing hears of it, and nothing may stop it.
func (d Decision) trace(tx core.App, target *core.Record, before, after map[string]any) error {
	was, err := json.Marshal(before)
	if err != nil {
		return err
	}
	is, err := json.Marshal(after)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `INSERT INTO audit (id, actor, action, target, before, after, requestId, created, updated)
		VALUES (`+db.NewID+`, {:actor}, {:action}, {:target}, {:before}, {:after}, {:request}, {:now}, {:now})`, db.Params{
		"actor": name(d.By), "action": d.Action, "target": name(target),
		"before": string(was), "after": string(is), "request": d.RequestID, "now": clock.Stamp(tx),
	})
	if err != nil {
		return fmt.Errorf("audit %s of %s: %w", d.Action, name(target), err)
	}
	return nil
}

// name is a record as audit writes it.
func name(record *core.Record) string { return record.Collection().Name + "/" + record.Id }

// remembered is how many earlier decisions a moderator is shown of one thing.
const remembered = 10

// history returns the latest decisions about any of the targets, the newest first.
func history(app core.App, targets []string) ([]Entry, error) {
	rows := []struct {
		Actor, Action, Target, Before, After, Created string
	}{}
	err := db.All(app, &rows, `SELECT actor, action, target, coalesce(before, '{}') before, coalesce(after, '{}') after, created FROM audit
		WHERE target IN (SELECT value FROM json_each({:targets})) ORDER BY created DESC, id DESC LIMIT {:n}`,
		db.Params{"targets": db.List(targets), "n": remembered})
	if err != nil {
		return nil, fmt.Errorf("read the history of %v: %w", targets, err)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = Entry{r.Actor, r.Action, r.Target, json.RawMessage(r.Before), json.RawMessage(r.After), r.Created}
	}
	return entries, nil
}
