package cli

import (
	_ "embed" // the stored schema
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/db"
)

// shippedCollections is what the program's migrations, with an owner's among them, make of an empty folder. A folder's
// collections are compared with it.
type shippedCollections struct {
	Migrations  []string           `json:"migrations"` // the files of all steps, PocketBase's own among them
	Collections []*core.Collection `json:"collections"`
	Objects     []schemaObject     `json:"objects"`
}

// schemaObject is an index, a trigger or a view.
type schemaObject struct {
	Type  string `db:"type" json:"type"`
	Name  string `db:"name" json:"name"`
	Table string `db:"tbl_name" json:"table"`
	SQL   string `db:"sql" json:"sql"`
}

// builtSchema is what buildShippedSchema returned when this program was written: to make it takes most of a second.
//
//go:embed shipped.json
var builtSchema []byte

// shippedSchema returns the schema that this program ships. If the program has steps that the stored schema was not
// made with, an owner's among them, it makes the schema, once, in a folder that it deletes again.
var shippedSchema = sync.OnceValues(func() (*shippedCollections, error) {
	s := &shippedCollections{}
	if err := json.Unmarshal(builtSchema, s); err != nil {
		return nil, fmt.Errorf("read the schema that is stored in the program: %w", err)
	}
	if slices.Equal(s.Migrations, migrationFiles()) {
		return s, nil
	}
	s, err := buildShippedSchema()
	if err != nil {
		return nil, fmt.Errorf("make an empty folder to compare with: %w", err)
	}
	return s, nil
})

// migrationFiles returns the names of all steps that this program knows, in their order.
func migrationFiles() (files []string) {
	for _, list := range []*core.MigrationsList{&core.SystemMigrations, &core.AppMigrations} {
		for _, m := range list.Items() {
			files = append(files, m.File)
		}
	}
	return files
}

func buildShippedSchema() (s *shippedCollections, err error) {
	dir, err := os.MkdirTemp("", "doubletap-doctor")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, app.ClearBootstrap()) }()
	app.Settings().Logs.MaxDays = 0 // nobody reads them
	if err := app.RunAllMigrations(); err != nil {
		return nil, err
	}
	s = &shippedCollections{Migrations: migrationFiles()}
	if s.Collections, err = app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth); err != nil {
		return nil, err
	}
	for _, c := range s.Collections {
		c.Created, c.Updated = types.DateTime{}, types.DateTime{} // those of the folder
	}
	all, err := schemaObjects(app)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		// PocketBase names its own indexes after the collection's id, which may differ in a folder that was
		// PocketBase's before
		own := slices.ContainsFunc(s.Collections, func(c *core.Collection) bool { return strings.Contains(o.Name, c.Id) })
		if !own {
			s.Objects = append(s.Objects, o)
		}
	}
	return s, nil
}

// schemaObjects returns the indexes, triggers and views that a database has.
func schemaObjects(app core.App) (all []schemaObject, err error) {
	err = db.QueryAll(app, &all, `SELECT type, name, tbl_name, sql FROM sqlite_master
		WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY name`, nil)
	return all, err
}

// compareObjects returns the shipped objects of a kind that the folder lacks, and those that it has in another form.
func compareObjects(app core.App, kind string) (missing, changed []schemaObject, err error) {
	shipped, err := shippedSchema()
	if err != nil {
		return nil, nil, err
	}
	all, err := schemaObjects(app)
	if err != nil {
		return nil, nil, err
	}
	has := map[string]schemaObject{}
	for _, o := range all {
		has[o.Name] = o
	}
	for _, want := range shipped.Objects {
		if (want.Type == "index") != (kind == "index") { // views are checked with the triggers, as what the database computes
			continue
		}
		got, there := has[want.Name]
		switch {
		case !there:
			missing = append(missing, want)
		case normalizeSQL(got.SQL) != normalizeSQL(want.SQL):
			changed = append(changed, want)
		}
	}
	return missing, changed, nil
}

// normalizeSQL returns a statement without spaces, quotes and case, which do not change its meaning.
func normalizeSQL(sql string) string {
	return strings.ToLower(strings.NewReplacer("`", "", `"`, "", "[", "", "]", "", " ", "", "\n", "", "\t", "", "\r", "").Replace(sql))
}
