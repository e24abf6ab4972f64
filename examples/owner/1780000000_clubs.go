package main

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Our collections come after Doubletap's own, since migrations run in the order of their file names.
func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		users.Fields.Add(&core.BoolField{Name: "likesOff"}, &core.BoolField{Name: "quiet"})
		if err := app.Save(users); err != nil {
			return err
		}
		clubs := core.NewBaseCollection("clubs")
		clubs.Fields.Add(&core.TextField{Name: "name", Required: true}, &core.TextField{Name: "wall"})
		if err := app.Save(clubs); err != nil {
			return err
		}
		members := core.NewBaseCollection("members")
		members.Fields.Add(
			&core.RelationField{Name: "club", CollectionId: clubs.Id, Required: true, CascadeDelete: true, MaxSelect: 1},
			&core.RelationField{Name: "user", CollectionId: users.Id, Required: true, CascadeDelete: true, MaxSelect: 1})
		members.Indexes = []string{"CREATE UNIQUE INDEX `idx_members` ON `members` (`user`, `club`)"}
		if err := app.Save(members); err != nil {
			return err
		}
		clubs.ListRule = types.Pointer("memberOf(@request.auth.id, id) = true")
		clubs.ViewRule = clubs.ListRule
		if err := app.Save(clubs); err != nil {
			return err
		}
		everybody := core.NewRecord(clubs)
		everybody.Set("name", "Everybody")
		everybody.Set("wall", "Welcome!")
		return app.Save(everybody)
	}, nil)
}
