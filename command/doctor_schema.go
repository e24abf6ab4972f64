package command

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/reconcile"
)

// lookIntegrity has SQLite look at its files: each page and row, and that each index has an entry for each row, which costs a twentieth of
// looking for each entry too. A connection of its own is needed, as an index of words takes what another connection
// merged since the last look for damage.
func lookIntegrity(app core.App, f *reconcile.Found) error {
	for _, name := range []string{"data.db", "auxiliary.db"} {
		database, err := db.Open("file:" + filepath.ToSlash(filepath.Join(app.DataDir(), name)) + "?mode=ro&_pragma=busy_timeout(10000)&_pragma=mmap_size(2147418112)")
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		var faults []string
		err = errors.Join(database.NewQuery(`PRAGMA quick_check(20)`).Column(&faults), database.Close())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(faults) == 1 && faults[0] == "ok" {
			continue
		}
		for _, fault := range faults {
			f.Fail(1, "%s: %s", name, fault)
		}
	}
	return nil
}

// lookMigrations tells which steps the folder lacks; without them the other checks would miss what they look for.
func lookMigrations(app core.App, f *reconcile.Found) error {
	var applied []string
	if err := db.Column(app, &applied, `SELECT file FROM `+core.DefaultMigrationsTable, nil); err != nil {
		return err
	}
	done := map[string]bool{}
	for _, file := range applied {
		done[file] = true
	}
	missing := 0
	for _, m := range core.AppMigrations.Items() {
		if !done[m.File] {
			missing++
		}
	}
	if missing > 0 && missing == len(core.AppMigrations.Items()) {
		f.Fail(missing, "%s holds no Doubletap: is it the right --dir?", app.DataDir())
		return nil
	}
	f.Fail(missing, "%d steps are not applied: serve, or run migrate up", missing)
	return nil
}

// lookCollections looks for collections and fields that are missing or show more than they ship with.
func lookCollections(app core.App, f *reconcile.Found) error {
	shipped, err := ships()
	if err != nil {
		return err
	}
	for _, want := range shipped.collections {
		got, found, err := db.Optional(app.FindCollectionByNameOrId(want.Name))
		if err != nil {
			return fmt.Errorf("find collection %s: %w", want.Name, err)
		}
		if !found {
			f.Fail(1, "%s is missing", want.Name)
			continue
		}
		for _, field := range want.Fields {
			name := want.Name + "." + field.GetName()
			has := got.Fields.GetByName(field.GetName())
			switch {
			case has == nil || has.Type() != field.Type():
				f.Fail(1, "%s is missing or of another type", name)
			case field.GetHidden() && !has.GetHidden():
				f.Fail(1, "%s is no longer hidden", name)
			}
			if file, ok := field.(*core.FileField); ok && file.Protected {
				if now, ok := has.(*core.FileField); ok && !now.Protected {
					f.Fail(1, "%s is no longer protected", name)
				}
			}
		}
	}
	return nil
}

// lookRules reports every rule that differs from what ships; one that is closed can leak nothing, so that is a
// warning. What an owner changes by a migration of the program is a part of what ships.
func lookRules(app core.App, f *reconcile.Found) error {
	shipped, err := ships()
	if err != nil {
		return err
	}
	for _, want := range shipped.collections {
		got, found, err := db.Optional(app.FindCollectionByNameOrId(want.Name))
		if err != nil {
			return fmt.Errorf("find collection %s: %w", want.Name, err)
		}
		if !found {
			continue // said by lookCollections
		}
		now := rules(got)
		for i, rule := range rules(want) {
			switch has := now[i].text; {
			case has == nil && rule.text == nil, has != nil && rule.text != nil && *has == *rule.text:
			case has == nil:
				f.Warn(1, "%s.%s is closed to all but superusers, unlike what ships", want.Name, rule.name)
			default:
				f.Fail(1, "%s.%s differs from what ships", want.Name, rule.name)
			}
		}
	}
	return nil
}

// rule is one of a collection's rules.
type rule struct {
	name string
	text *string
}

func rules(c *core.Collection) []rule {
	all := []rule{{"listRule", c.ListRule}, {"viewRule", c.ViewRule}, {"createRule", c.CreateRule}, {"updateRule", c.UpdateRule}, {"deleteRule", c.DeleteRule}}
	if c.IsAuth() {
		all = append(all, rule{"authRule", c.AuthRule}, rule{"manageRule", c.ManageRule})
	}
	return all
}

// lookObjects compares the database's indexes, or its triggers, with what ships.
func lookObjects(kind string) func(core.App, *reconcile.Found) error {
	return func(app core.App, f *reconcile.Found) error {
		missing, changed, err := compared(app, kind)
		if err != nil {
			return err
		}
		for _, o := range missing {
			f.Fail(1, "%s on %s is missing", o.Name, o.Table)
		}
		for _, o := range changed {
			f.Fail(1, "%s on %s differs from what ships", o.Name, o.Table)
		}
		return nil
	}
}

// repairObjects makes what is missing; what differs was perhaps meant.
func repairObjects(kind string) func(core.App) (int64, error) {
	return func(tx core.App) (int64, error) {
		missing, _, err := compared(tx, kind)
		if err != nil {
			return 0, err
		}
		for _, o := range missing {
			if _, err := db.Exec(tx, o.SQL, nil); err != nil {
				return 0, fmt.Errorf("%s: %w", o.Name, err)
			}
		}
		return int64(len(missing)), nil
	}
}
