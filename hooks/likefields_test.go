package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/testenv"
)

// An owner may give likes fields of their own, and take them away: a like is then served by whichever path knows all of them.
func TestFieldsOfAnOwnersOwnOnLikesNeverBreakALike(t *testing.T) {
	testenv.SkipSequential(t)
	s := newServiceOnPath(t, "fast")
	ada, bob := s.As("ada"), s.As("bob")
	execute := func(statements ...string) func(*core.Collection) error {
		return func(*core.Collection) error {
			for _, statement := range statements {
				if _, err := s.App.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
					return err
				}
			}
			return s.App.ReloadCachedCollections()
		}
	}
	save := func(change func(likes *core.Collection)) func(*core.Collection) error {
		return func(likes *core.Collection) error {
			change(likes)
			return s.App.Save(likes)
		}
	}
	for _, step := range []struct {
		what, path string
		change     func(likes *core.Collection) error
	}{
		{"nothing changed", "fast", save(func(*core.Collection) {})},
		{"a field added", "general", save(func(likes *core.Collection) { likes.Fields.Add(&core.TextField{Name: "emoji"}) })},
		{"it renamed", "general", save(func(likes *core.Collection) { likes.Fields.GetByName("emoji").SetName("mood") })},
		{"it removed", "fast", save(func(likes *core.Collection) { likes.Fields.RemoveByName("mood") })},
		{"a shipped field hidden", "general", save(func(likes *core.Collection) { likes.Fields.GetByName("updated").SetHidden(true) })},
		{"it shown", "fast", save(func(likes *core.Collection) { likes.Fields.GetByName("updated").SetHidden(false) })},
		{"no time given", "general", save(func(likes *core.Collection) { likes.Fields.GetByName("updated").(*core.AutodateField).OnCreate = false })},
		{"one given", "fast", save(func(likes *core.Collection) { likes.Fields.GetByName("updated").(*core.AutodateField).OnCreate = true })},
		// past every check of ours, as by an import or by hand: as many fields as ship, and not the same
		{"a shipped field renamed", "general", execute("ALTER TABLE likes RENAME COLUMN updated TO changedAt",
			`UPDATE _collections SET fields = replace(fields, '"name":"updated"', '"name":"changedAt"') WHERE name = 'likes'`)},
		{"it named again", "fast", execute("ALTER TABLE likes RENAME COLUMN changedAt TO updated",
			`UPDATE _collections SET fields = replace(fields, '"name":"changedAt"', '"name":"updated"') WHERE name = 'likes'`)},
	} {
		likes, err := s.App.FindCollectionByNameOrId("likes")
		if err == nil {
			err = step.change(likes)
		}
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		post, before := ada.Post(step.what), answeredLikes(t, s, step.path)
		id := bob.Like(post)
		if n := s.Rows("likes", "id = {:id}", map[string]any{"id": id}); n != 1 {
			t.Errorf("%s: %d likes stored", step.what, n)
		}
		bob.Delete("likes", id)
		if n := answeredLikes(t, s, step.path) - before; n != 2 {
			t.Errorf("%s: %d of a like and an unlike took the %s path", step.what, n, step.path)
		}
	}
}
