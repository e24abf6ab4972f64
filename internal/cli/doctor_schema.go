package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/visibility"
)

// checkIntegrity has SQLite check its files: each page and row, and that each index has as many entries as there are
// rows, which costs a twentieth of comparing each entry. It opens a connection of its own, since the full-text index on
// an older connection reports as damage what another connection has merged since.
func checkIntegrity(app core.App, f *reconcile.Problems) error {
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
			f.AddFailure(1, "%s: %s", name, fault)
		}
	}
	return nil
}

// checkMigrations reports how many steps the folder lacks. Without them the other checks could not find what they
// check.
func checkMigrations(app core.App, f *reconcile.Problems) error {
	var applied []string
	if err := db.QueryColumn(app, &applied, `SELECT file FROM `+core.DefaultMigrationsTable, nil); err != nil {
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
		f.AddFailure(missing, "%s holds no Doubletap: is it the right --dir?", app.DataDir())
		return nil
	}
	f.AddFailure(missing, "%d steps are not applied: serve, or run migrate up", missing)
	return nil
}

// checkCollections reports collections and fields that are missing, or that show more than the shipped ones.
func checkCollections(app core.App, f *reconcile.Problems) error {
	return eachShippedCollection(app, func(want, got *core.Collection) {
		if got == nil {
			f.AddFailure(1, "%s is missing", want.Name)
			return
		}
		for _, field := range want.Fields {
			name := want.Name + "." + field.GetName()
			has := got.Fields.GetByName(field.GetName())
			switch {
			case has == nil || has.Type() != field.Type():
				f.AddFailure(1, "%s is missing or of another type", name)
			case field.GetHidden() && !has.GetHidden():
				f.AddFailure(1, "%s is no longer hidden", name)
			}
			if file, ok := field.(*core.FileField); ok && file.Protected {
				if now, ok := has.(*core.FileField); ok && !now.Protected {
					f.AddFailure(1, "%s is no longer protected", name)
				}
			}
		}
	})
}

// eachShippedCollection calls fn with each collection that ships and the one that is there under its name, nil if none is.
func eachShippedCollection(app core.App, fn func(want, got *core.Collection)) error {
	shipped, err := shippedSchema()
	if err != nil {
		return err
	}
	for _, want := range shipped.Collections {
		got, found, err := db.Optional(app.FindCollectionByNameOrId(want.Name))
		if err != nil {
			return fmt.Errorf("find collection %s: %w", want.Name, err)
		}
		if !found {
			got = nil
		}
		fn(want, got)
	}
	return nil
}

// checkRules reports every rule that differs from the shipped one. A rule that lets in fewer people, or none but
// superusers, can leak nothing, so that is a warning. What an owner's migrations of the program change counts as shipped.
func checkRules(app core.App, f *reconcile.Problems) error {
	return eachShippedCollection(app, func(want, got *core.Collection) {
		if got == nil {
			return // said by checkCollections
		}
		now := rulesOf(got)
		for i, rule := range rulesOf(want) {
			switch has := now[i].text; {
			case has == nil && rule.text == nil, has != nil && rule.text != nil && *has == *rule.text:
			case has == nil:
				f.AddWarning(1, "%s.%s is closed to all but superusers, unlike what ships", want.Name, rule.name)
			case rule.text != nil && narrows(has, *rule.text):
				f.AddWarning(1, "%s.%s lets in fewer than what ships, as an owner chose", want.Name, rule.name)
			default:
				f.AddFailure(1, "%s.%s differs from what ships", want.Name, rule.name)
			}
		}
	})
}

// narrows reports whether a rule lets in nobody whom the shipped one refuses, since it requires all of that as well. An
// adopted app has such rules.
func narrows(rule *string, shipped string) bool {
	return shipped == "" || visibility.Requires(rule, "("+shipped+")")
}

// namedRule is one of a collection's rules; a nil text is for superusers only.
type namedRule struct {
	name string
	text *string
}

func rulesOf(c *core.Collection) []namedRule {
	all := []namedRule{{"listRule", c.ListRule}, {"viewRule", c.ViewRule}, {"createRule", c.CreateRule}, {"updateRule", c.UpdateRule}, {"deleteRule", c.DeleteRule}}
	if c.IsAuth() {
		all = append(all, namedRule{"authRule", c.AuthRule}, namedRule{"manageRule", c.ManageRule})
	}
	return all
}

// checkObjects returns a check that compares the database's indexes or triggers with the shipped ones.
func checkObjects(kind string) func(core.App, *reconcile.Problems) error {
	return func(app core.App, f *reconcile.Problems) error {
		missing, changed, err := compareObjects(app, kind)
		if err != nil {
			return err
		}
		for _, o := range missing {
			f.AddFailure(1, "%s on %s is missing", o.Name, o.Table)
		}
		for _, o := range changed {
			f.AddFailure(1, "%s on %s differs from what ships", o.Name, o.Table)
		}
		return nil
	}
}

// repairObjects returns a repair that creates missing indexes or triggers. It leaves those that differ, as somebody may
// have meant that. Each is a transaction of its own: SQLite cannot make an index in parts.
func repairObjects(kind string) func(context.Context, core.App) (int64, error) {
	return func(ctx context.Context, app core.App) (done int64, err error) {
		missing, _, err := compareObjects(app, kind)
		if err != nil {
			return 0, err
		}
		var failures []error
		for _, o := range missing {
			if ctx.Err() != nil {
				return done, errors.Join(append(failures, ctx.Err())...)
			}
			err := db.RunInWriteTx(app, func(tx core.App) error {
				_, err := db.Exec(tx, o.SQL, nil)
				return err
			})
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", o.Name, err))
				continue
			}
			done++
		}
		return done, errors.Join(failures...)
	}
}
