// Package demo makes up people, photos and what they do, and stores them through the product's hooks: the small world
// of the demo, and worlds of any size for tests and benchmarks.
package demo

import (
	"context"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/db"
)

// AdminEmail is the address of the demo's superuser.
const AdminEmail = "admin@example.com"

// Create stores the small world of the demo, in one transaction, and reports whether it did. A folder that has the
// world already is left as it is, except that a superuser is added if there is none. A folder with other people is an
// error, since the passwords of a demo are public.
func Create(ctx context.Context, app core.App, report func(done, total int)) (made bool, err error) {
	users, err := app.CountRecords("users")
	if err != nil {
		return false, fmt.Errorf("look for people: %w", err)
	}
	superusers, err := app.CountRecords(core.CollectionNameSuperusers)
	if err != nil {
		return false, fmt.Errorf("look for superusers: %w", err)
	}
	cast := newDemoCast()
	ada, err := db.FindRecord(app, "users", cast.people["ada"].id)
	if err != nil {
		return false, err
	}
	there := ada != nil
	if !there && users+superusers > 0 {
		return false, fmt.Errorf("the folder %s is somebody's already: give the demo its own with --dir", app.DataDir())
	}
	t := &timeline{}
	if !there {
		hash, err := passwordHash(app)
		if err != nil {
			return false, err
		}
		t = cast.buildTimeline(hash)
	}
	if superusers == 0 {
		t.addAction(0, func(tx core.App, at types.DateTime) error {
			return saveRecord(tx, core.CollectionNameSuperusers, "", at, map[string]any{"email": AdminEmail, "password": Password})
		})
	}
	return !there, t.storeActions(ctx, app, max(len(t.actions), 1), report)
}
