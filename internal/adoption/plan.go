package adoption

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Plan is what adopting an app would change, and what stands in its way.
type Plan struct {
	// Adopted says that the folder has Doubletap already, so that there is nothing to adopt.
	Adopted bool     `json:"adopted"`
	Users   int      `json:"users"` // how many there are
	Changes []Change `json:"changes"`
	Clashes []Clash  `json:"clashes"`
}

// Change is one thing of the app that would be different, or expressly not.
type Change struct {
	Collection string `json:"collection"`
	Field      string `json:"field"` // a field, a rule or an option; empty for all of the collection
	Rows       int    `json:"rows"`
	Becomes    string `json:"becomes"`
}

// What returns the name of what changes, with its rows.
func (c Change) What() string { return whatWithRows(c.Collection, c.Field, c.Rows) }

// Clash is one thing that has to be decided first: nothing is changed while there is any.
type Clash struct {
	Collection string `json:"collection"`
	Field      string `json:"field"`
	Rows       int    `json:"rows"` // how many have a value there
	Why        string `json:"why"`
	ToDo       string `json:"toDo"`
}

// String returns the clash as a sentence for people.
func (c Clash) String() string {
	return whatWithRows(c.Collection, c.Field, c.Rows) + ": " + c.Why + "; " + c.ToDo
}

func whatWithRows(collection, field string, rows int) string {
	if field != "" {
		collection += "." + field
	}
	return fmt.Sprintf("%s (%s)", collection, countRows(rows))
}

func countRows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// Err returns an error of one line that names every clash, or nil if there is none.
func (p *Plan) Err() error {
	if len(p.Clashes) == 0 {
		return nil
	}
	texts := make([]string, len(p.Clashes))
	for i, clash := range p.Clashes {
		texts[i] = clash.String()
	}
	return fmt.Errorf("adopting this app needs a decision, and nothing is changed: %s", strings.Join(texts, " | "))
}

// firstStep is the first of our migrations that changes anything. Builds from before a release had formerStep, and the
// first step refuses their folders.
const (
	firstStep  = "1765000000_ground.go"
	formerStep = "1763700000_ground.go"
)

// Examine returns the plan for a folder as it is now, with what its owner has decided. It changes nothing.
func Examine(app core.App) (*Plan, error) {
	p := &Plan{Changes: []Change{}, Clashes: []Clash{}}
	var one int
	var err error
	if p.Adopted, err = db.QueryValue(app, &one, `SELECT 1 FROM `+core.DefaultMigrationsTable+` WHERE file IN ({:first}, {:former})`, db.Params{"first": firstStep, "former": formerStep}); err != nil {
		return nil, fmt.Errorf("look whether %s is applied: %w", firstStep, err)
	}
	if p.Adopted {
		return p, nil
	}
	if err := p.examineNames(app); err != nil {
		return nil, err
	}
	users, found, err := db.Optional(app.FindCollectionByNameOrId("users"))
	if err != nil {
		return nil, fmt.Errorf("find the collection users: %w", err)
	}
	if !found || !users.IsAuth() {
		if !slices.ContainsFunc(p.Clashes, func(c Clash) bool { return c.Collection == "users" }) {
			p.clash("users", "", 0, "there is no auth collection of this name, and people are its records", "make one, or give the app's own this name")
		}
		return p, nil
	}
	if p.Users, err = countWhere(app, "users", "1"); err != nil {
		return nil, err
	}
	e := &examination{Plan: p, app: app, users: users, options: decided(app)}
	for _, examine := range []func() error{e.examineIDs, e.examineFields, e.examineValues, e.examineRules, e.examineIndexes, e.explainKeptFields, e.describeChanges} {
		if err := examine(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Plan) clash(collection, field string, rows int, why, toDo string) {
	p.Clashes = append(p.Clashes, Clash{collection, field, rows, why, toDo})
}

func (p *Plan) change(collection, field string, rows int, becomes string, a ...any) {
	p.Changes = append(p.Changes, Change{collection, field, rows, fmt.Sprintf(becomes, a...)})
}

// examination is the part of a plan that concerns the users.
type examination struct {
	*Plan
	app     core.App
	users   *core.Collection
	options Options
}

// countWhere counts the rows of a table that meet a condition of ours.
func countWhere(app core.App, table, condition string) (n int, err error) {
	if _, err := db.QueryValue(app, &n, `SELECT count(*) FROM {{`+table+`}} WHERE `+condition, nil); err != nil {
		return 0, fmt.Errorf("count %s where %s: %w", table, condition, err)
	}
	return n, nil
}
