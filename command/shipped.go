package command

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// schema is what the program's migrations make of an empty folder, an owner's migrations among them: what a
// folder's collections are compared with.
type schema struct {
	collections []*core.Collection
	objects     []object
}

// object is an index or a trigger.
type object struct {
	Type  string `db:"type"`
	Name  string `db:"name"`
	Table string `db:"tbl_name"`
	SQL   string `db:"sql"`
}

// ships returns the schema that this program ships. It makes it once, in a folder that it removes again.
var ships = sync.OnceValues(func() (*schema, error) {
	s, err := scratch()
	if err != nil {
		return nil, fmt.Errorf("make an empty folder to compare with: %w", err)
	}
	return s, nil
})

func scratch() (s *schema, err error) {
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
	s = &schema{}
	if s.collections, err = app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth); err != nil {
		return nil, err
	}
	all, err := objects(app)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		// PocketBase names its own indexes after the collection's id, which may be another one where Doubletap was adopted
		own := slices.ContainsFunc(s.collections, func(c *core.Collection) bool { return strings.Contains(o.Name, c.Id) })
		if !own {
			s.objects = append(s.objects, o)
		}
	}
	return s, nil
}

// objects returns the indexes and triggers that a database has.
func objects(app core.App) (all []object, err error) {
	err = db.All(app, &all, `SELECT type, name, tbl_name, sql FROM sqlite_master
		WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY name`, nil)
	return all, err
}

// compared returns the objects of a kind that ship but that the folder lacks or has otherwise.
func compared(app core.App, kind string) (missing, changed []object, err error) {
	shipped, err := ships()
	if err != nil {
		return nil, nil, err
	}
	all, err := objects(app)
	if err != nil {
		return nil, nil, err
	}
	has := map[string]object{}
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
		case plain(got.SQL) != plain(want.SQL):
			changed = append(changed, want)
		}
	}
	return missing, changed, nil
}

// plain is a statement without what its meaning does not depend on.
func plain(sql string) string {
	return strings.ToLower(strings.NewReplacer("`", "", `"`, "", "[", "", "]", "", " ", "", "\n", "", "\t", "", "\r", "").Replace(sql))
}
