package adoption

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Before is what is remembered of an app from before its adoption, so that the fields that were private stay so and
// the app can leave again. It is a row of PocketBase's table of parameters, whose dashboard shows none of it.
type Before struct {
	Users   json.RawMessage  `json:"users"` // the row of _collections
	Batch   core.BatchConfig `json:"batch"`
	Private []string         `json:"private"` // ids of fields of users, whose names may change; see PrivateFields
	Kept    []string         `json:"kept"`    // rules of users that stay in force beside ours
}

const beforeID = "doubletap_adoption"

func readBefore(tx core.App, users *core.Collection, count int, o Options) (b Before, err error) {
	var row string
	_, err = db.QueryValue(tx, &row, `SELECT json_object('listRule', listRule, 'viewRule', viewRule, 'createRule', createRule, 'updateRule', updateRule,
		'deleteRule', deleteRule, 'fields', json(fields), 'indexes', json(indexes), 'options', json(options)) FROM _collections WHERE id = {:id}`, db.Params{"id": users.Id})
	if err != nil {
		return b, fmt.Errorf("remember the collection users: %w", err)
	}
	o.Public = nil // which is asked at each start
	b = Before{Users: json.RawMessage(row), Batch: tx.Settings().Batch}
	for _, name := range privateFields(users, count, o) {
		b.Private = append(b.Private, users.Fields.GetByName(name).GetId())
	}
	for _, r := range userRules {
		if r.isKept(users) {
			b.Kept = append(b.Kept, r.name)
		}
	}
	return b, nil
}

// storeBefore remembers what was before, unless that is nothing but a fresh PocketBase.
func storeBefore(tx core.App, run *underway) error {
	if len(run.hints) == 0 && !hasOwnFields(run.users) && len(run.before.Kept) == 0 {
		return nil
	}
	text, err := json.Marshal(run.before)
	if err != nil {
		return fmt.Errorf("write what was before the adoption as JSON: %w", err)
	}
	_, err = db.Exec(tx, `INSERT INTO _params (id, value) VALUES ({:id}, {:value}) ON CONFLICT (id) DO UPDATE SET value = excluded.value`, db.Params{"id": beforeID, "value": string(text)})
	if err != nil {
		return fmt.Errorf("remember what was before the adoption: %w", err)
	}
	usePrivateFields(tx, run.before)
	return nil
}

// readStored returns what was before the adoption, or false for a folder that was never adopted.
func readStored(app core.App) (b Before, found bool, err error) {
	if !app.HasTable("_params") {
		return b, false, nil
	}
	var text string
	if found, err = db.QueryValue(app, &text, `SELECT value FROM _params WHERE id = {:id}`, db.Params{"id": beforeID}); err != nil || !found {
		return b, false, err
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return b, false, fmt.Errorf("read what was before the adoption: %w", err)
	}
	return b, true, nil
}

const privateKey = "doubletap.adoption.private"

// Load reads what was before the adoption, for PrivateFields. Call it once the database is open.
func Load(app core.App) error {
	b, found, err := readStored(app)
	if err != nil || !found {
		return err
	}
	usePrivateFields(app, b)
	return nil
}

func usePrivateFields(app core.App, b Before) { app.Store().Set(privateKey, b.Private) }

// PrivateFields returns the fields of users that only the person and superusers are shown, as before the adoption. It
// is empty for a folder that was never adopted.
func PrivateFields(app core.App) []string {
	if ids, _ := app.Store().Get(privateKey).([]string); len(ids) == 0 {
		return nil
	}
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return nil // there are no users who could be shown
	}
	return PrivateFieldsOf(app, users)
}

// PrivateFieldsOf returns them by the names that they have in a version of the collection users: that of a record may be
// older than the one that is in force.
func PrivateFieldsOf(app core.App, users *core.Collection) (names []string) {
	ids, _ := app.Store().Get(privateKey).([]string)
	if len(ids) == 0 {
		return nil
	}
	public := decided(app).Public
	for _, field := range users.Fields {
		if slices.Contains(ids, field.GetId()) && !slices.Contains(public, field.GetName()) {
			names = append(names, field.GetName())
		}
	}
	return names
}
