package adoption

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// Leaving is what is asked of a folder that Doubletap shall leave, and what of it is ours.
type Leaving struct {
	Check bool // only say what would change
	Drop  bool // delete our collections and fields, with their rows and files

	Triggers []string         // names of those that we ship
	Indexes  []string         // likewise
	Steps    []string         // files of our migrations
	Shipped  *core.Collection // users as we make it
}

// departure is a Leaving that is under way, in one transaction.
type departure struct {
	*Plan
	Leaving
	tx      core.App
	before  *core.Collection // users as the app had them
	private []string         // ids of the fields of users that adoption has kept private
	left    leftBehind
}

var errUndone = errors.New("nothing is to be kept")

// Leave takes out of a folder what a plain PocketBase does not understand, in one transaction, and returns what it changed
// and what stands in its way: nothing is changed while there is any of that. No server may be serving the folder.
func Leave(app core.App, l Leaving) (*Plan, error) {
	d := &departure{Plan: &Plan{Adopted: true, Changes: []Change{}, Clashes: []Clash{}}, Leaving: l}
	err := app.RunInTransaction(func(tx core.App) error {
		d.tx = tx
		if err := d.leave(); err != nil {
			return err
		}
		if l.Check || len(d.Clashes) > 0 {
			return errUndone
		}
		return nil
	})
	if errors.Is(err, errUndone) {
		err = nil
	}
	if err := errors.Join(err, app.ReloadCachedCollections()); err != nil {
		return nil, err
	}
	if l.Check || len(d.Clashes) > 0 {
		return d.Plan, nil
	}
	return d.Plan, deleteLeftFolders(app)
}

func (d *departure) leave() error {
	var applied []string
	if err := db.QueryColumn(d.tx, &applied, `SELECT file FROM `+core.DefaultMigrationsTable+` WHERE file IN (SELECT value FROM json_each({:steps}))`, db.Params{"steps": db.JSONList(d.Steps)}); err != nil {
		return fmt.Errorf("read the steps that are applied: %w", err)
	}
	found, err := readParam(d.tx, leftID, &d.left)
	switch {
	case err != nil:
		return err
	case len(applied) == 0 && !found:
		return fmt.Errorf("%s holds no Doubletap: is it the right --dir?", d.tx.DataDir())
	case len(applied) == 0:
		return d.dropLeft()
	case len(applied) < len(d.Steps):
		return fmt.Errorf("%d steps are not applied: run migrate up first", len(d.Steps)-len(applied))
	}
	d.left = leftBehind{}
	return d.run(d.remember, d.refuseErasing, d.refuse, d.dropMachinery, d.giveBackUsers, d.giveUpCollections, d.giveBackSettings, d.forgetSteps, d.checkRules)
}

// run takes steps. What fails after a clash may fail because of it, and the clash says more.
func (d *departure) run(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil && len(d.Clashes) == 0 {
			return err
		} else if err != nil {
			return nil //nolint:nilerr // all is undone, and the clashes say why
		}
	}
	return nil
}

// remember notes what the folder has of ours, so that Doubletap can come back to what it left, or drop that.
func (d *departure) remember() error {
	var count int
	if _, err := db.QueryValue(d.tx, &count, `SELECT count(*) FROM users`, nil); err != nil {
		return fmt.Errorf("count the users: %w", err)
	}
	d.Users = count
	users, err := d.tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find the collection users: %w", err)
	}
	before, _, err := readStored(d.tx)
	if err != nil {
		return err
	}
	if d.before, err = before.usersCollection(); err != nil {
		return err
	}
	d.private = before.Private
	d.left.Batch = before.Batch
	if before.Users == nil { // a folder that was ours from the beginning
		d.left.Batch = core.BatchConfig{MaxRequests: 50, Timeout: 3}
	}
	d.left.noteUsers(users, d.before, d.Leaving)
	return d.left.noteNames(d.tx)
}

// dropMachinery drops our triggers, and the tables and the view that only they and a running service fill.
func (d *departure) dropMachinery() error {
	statements := []string{}
	for _, name := range d.Triggers {
		statements = append(statements, "DROP TRIGGER IF EXISTS [["+name+"]]")
	}
	d.change("feed", "", 0, "gone: it is asked of posts and follows, and stored nowhere")
	if err := execAll(d.tx, append(statements, "DROP VIEW IF EXISTS feed", "DELETE FROM _collections WHERE name = 'feed'")...); err != nil {
		return err
	}
	return d.dropTables()
}

// dropTables drops our tables that are no collections, save those that are kept.
func (d *departure) dropTables() error {
	going, err := d.goingTables()
	if err != nil {
		return err
	}
	statements := []string{}
	for _, name := range going {
		statements = append(statements, "DROP TABLE IF EXISTS {{"+name+"}}")
	}
	return execAll(d.tx, statements...)
}

func (d *departure) goingTables() (going []string, err error) {
	for _, name := range otherTables {
		if keepsTable(name) && !d.Drop {
			continue
		}
		ours, err := d.left.holds(d.tx, name)
		if err != nil {
			return nil, err
		}
		if ours {
			going = append(going, name)
		}
	}
	return going, nil
}

// keepsTable reports whether a table that is no collection is data, which comes back with us.
func keepsTable(name string) bool { return name == "gone_ids" }

// giveUpCollections makes our collections plain data of superusers, or drops them. What the service works with, and would be
// somebody's key or letter in other hands, goes in any case.
func (d *departure) giveUpCollections() error {
	for _, name := range collection.Names() {
		if name == "users" || name == "feed" {
			continue
		}
		c, found, err := db.Optional(d.tx.FindCollectionByNameOrId(name))
		if err != nil {
			return fmt.Errorf("find the collection %s: %w", name, err)
		}
		if !found || !d.left.has(c) {
			continue // whoever made it after we left may keep it
		}
		rows, err := countWhere(d.tx, name, "1")
		if err != nil {
			return err
		}
		if d.Drop {
			err = d.dropCollection(c.Id, name, rows)
		} else {
			err = d.lockCollection(c.Id, name, rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *departure) lockCollection(id, name string, rows int) error {
	statements := []string{`UPDATE _collections SET system = FALSE, listRule = NULL, viewRule = NULL, createRule = NULL, updateRule = NULL, deleteRule = NULL WHERE id = '` + id + `'`}
	becomes := "plain data, for superusers alone"
	switch name {
	case "jobs", "secrets":
		becomes = "empty: what waited is not done, and keys are made anew"
		statements = append(statements, "DELETE FROM {{"+name+"}}")
	case "webhooks":
		becomes = "plain data, for superusers alone; without their secrets, and off"
		statements = append(statements, `UPDATE webhooks SET secret = '', formerSecret = '', disabled = TRUE`)
	}
	d.change(name, "", rows, "%s", becomes)
	return execAll(d.tx, statements...)
}

func (d *departure) dropCollection(id, name string, rows int) error {
	d.left.Folders = append(d.left.Folders, id)
	d.change(name, "", rows, "gone, with its files")
	return execAll(d.tx, "DROP TABLE IF EXISTS {{"+name+"}}", `DELETE FROM _collections WHERE id = '`+id+`'`)
}

// giveBackSettings puts back the settings that the steps changed, unless somebody has changed them since.
func (d *departure) giveBackSettings() error {
	settings := d.tx.Settings()
	if (settings.Batch == core.BatchConfig{Enabled: true, MaxRequests: 50, Timeout: 10}) {
		settings.Batch = d.left.Batch
		d.change("settings of the app", "batch", 0, "as before")
	}
	if settings.Meta.AppName == "Doubletap" {
		settings.Meta.AppName = "Acme"
	}
	if err := d.tx.Save(settings); err != nil {
		return fmt.Errorf("put back the settings: %w", err)
	}
	return nil
}

// forgetSteps has the next adoption begin anew.
func (d *departure) forgetSteps() error {
	d.change("steps of Doubletap", "", len(d.Steps), "forgotten: adopting again runs them")
	_, err := db.Exec(d.tx, `DELETE FROM `+core.DefaultMigrationsTable+` WHERE file IN (SELECT value FROM json_each({:steps}))`, db.Params{"steps": db.JSONList(d.Steps)})
	if err != nil {
		return fmt.Errorf("forget our steps: %w", err)
	}
	if err := execAll(d.tx, `DELETE FROM _params WHERE id = '`+beforeID+`'`); err != nil {
		return err
	}
	d.tx.Store().Remove(privateKey)
	return d.storeLeft()
}

// storeLeft notes what is left of ours.
func (d *departure) storeLeft() error {
	if d.Drop {
		d.left = leftBehind{Dropped: true, Folders: d.left.Folders}
	}
	return storeParam(d.tx, leftID, d.left)
}

// dropLeft drops what an earlier Leave kept, and nothing that was made since.
func (d *departure) dropLeft() error {
	if !d.Drop {
		d.Adopted = false
		return nil
	}
	if d.left.Dropped {
		return nil
	}
	return d.run(d.refuse, d.dropTables, d.dropUsersLeft, d.giveUpCollections, d.checkRules, d.storeLeft)
}

// dropUsersLeft drops what users has of ours.
func (d *departure) dropUsersLeft() error {
	users, err := d.tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find the collection users: %w", err)
	}
	state, rule := users.Fields.GetByName("state"), d.left.AuthRule
	if rule != nil && state != nil && d.isDropped(state) && users.AuthRule != nil && *users.AuthRule == rule.Written {
		suspended, err := countWhere(d.tx, "users", "state = 'suspended'")
		if err != nil {
			return err
		}
		users.AuthRule = rule.Before
		d.change("users", "authRule", suspended, "as before, and who was suspended can sign in again: %s", describeRule(rule.Before))
	}
	if err := d.dropFields(users); err != nil {
		return err
	}
	return storeCollection(d.tx, users)
}

// deleteLeftFolders deletes the files of the collections that are dropped, and forgets then that there was a Doubletap. It
// runs again after a crash.
func deleteLeftFolders(app core.App) error {
	var left leftBehind
	found, err := readParam(app, leftID, &left)
	if err != nil || !found || len(left.Folders) == 0 && !left.Dropped {
		return err
	}
	fsys, err := app.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	var failures []error
	for _, folder := range left.Folders {
		_, isUsed, err := db.Optional(app.FindCollectionByNameOrId(folder))
		if err != nil {
			return fmt.Errorf("look whether a collection has the id %s: %w", folder, err)
		}
		if isUsed {
			continue // by one that was made since a crash: PocketBase makes the same id of the same name
		}
		failures = append(failures, fsys.DeletePrefix(folder+"/")...)
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("the collections are gone, but not all their files; leave --drop tries again: %w", err)
	}
	return execAll(app, `DELETE FROM _params WHERE id = '`+leftID+`'`)
}

// execAll runs statements of ours, none of which has a value of somebody else's in it.
func execAll(tx core.App, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.Exec(tx, statement, nil); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// storeCollection stores a collection as it is: to save it would end all tokens, and ask hooks that keep what we need.
func storeCollection(tx core.App, c *core.Collection) error {
	row, err := c.DBExport(tx)
	if err != nil {
		return fmt.Errorf("export the collection %s: %w", c.Name, err)
	}
	params, columns := db.Params{"id": c.Id}, []string{}
	for _, name := range []string{"fields", "indexes", "options", "listRule", "viewRule", "createRule", "updateRule", "deleteRule"} {
		params[name] = row[name]
		columns = append(columns, name+" = {:"+name+"}")
	}
	if _, err := db.Exec(tx, `UPDATE _collections SET `+strings.Join(columns, ", ")+` WHERE id = {:id}`, params); err != nil {
		return fmt.Errorf("store the collection %s: %w", c.Name, err)
	}
	return tx.ReloadCachedCollections()
}

// isDropped reports whether a field of users goes. PocketBase makes ids of type and name, so that the app may have a field
// under the id of one that we left: ours is hidden since.
func (d *departure) isDropped(field core.Field) bool {
	leftEarlier := d.before == nil
	return d.Drop && slices.Contains(d.left.Fields, field.GetId()) && (!leftEarlier || field.GetHidden())
}
