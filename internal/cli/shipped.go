package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// shippedCollections is what the program's migrations, with an owner's among them, make of an empty folder. A folder's
// collections are compared with it.
type shippedCollections struct {
	collections []*core.Collection
	objects     []schemaObject
}

// schemaObject is an index or a trigger.
type schemaObject struct {
	Type  string `db:"type"`
	Name  string `db:"name"`
	Table string `db:"tbl_name"`
	SQL   string `db:"sql"`
}

// shippedSchema returns the schema that this program ships. It makes the schema once, in a folder that it deletes
// again.
var shippedSchema = sync.OnceValues(func() (*shippedCollections, error) {
	s, err := buildShippedSchema()
	if err != nil {
		return nil, fmt.Errorf("make an empty folder to compare with: %w", err)
	}
	return s, nil
})

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
	s = &shippedCollections{}
	if s.collections, err = app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth); err != nil {
		return nil, err
	}
	all, err := schemaObjects(app)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		// PocketBase names its own indexes after the collection's id, which may differ in a folder that was
		// PocketBase's before
		own := slices.ContainsFunc(s.collections, func(c *core.Collection) bool { return strings.Contains(o.Name, c.Id) })
		if !own {
			s.objects = append(s.objects, o)
		}
	}
	return s, nil
}

// schemaObjects returns the indexes and triggers that a database has.
func schemaObjects(app core.App) (all []schemaObject, err error) {
	err = db.QueryAll(app, &all, `SELECT type, name, tbl_name, sql FROM sqlite_master
		WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY name`, nil)
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
	for _, want := range shipped.objects {
		if want.Type != kind {
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
