package reconcile

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestARecordThatAHookKeepsEndsARenaming has an owner's record that cannot follow, because of an index, and that a hook
// of the owner's neither lets go: the renaming says so, and does not find it again for ever.
func TestARecordThatAHookKeepsEndsARenaming(t *testing.T) {
	for _, cascades := range []bool{true, false} { // the record is deleted, or its relation emptied
		app, _ := newTaggedApp(t, 1)
		tags, err := app.FindCollectionByNameOrId("hashtags")
		if err != nil {
			t.Fatal(err)
		}
		pins := core.NewBaseCollection("pins")
		pins.Fields.Add(&core.TextField{Name: "who"}, &core.RelationField{Name: "tag", CollectionId: tags.Id, MaxSelect: 1, CascadeDelete: cascades})
		pins.AddIndex("pins_edge", true, "who, tag", "")
		if err := app.Save(pins); err != nil {
			t.Fatal(err)
		}
		if _, err := app.DB().NewQuery(`INSERT INTO pins (id, who, tag) SELECT 'of_before', 'bob', id FROM hashtags UNION ALL SELECT 'of_after', 'bob', 'new' || id FROM hashtags`).Execute(); err != nil {
			t.Fatal(err)
		}
		calls := 0
		keep := func(*core.RecordEvent) error {
			if calls++; calls > 3 {
				t.Fatal("the record is found for ever")
			}
			return nil
		}
		app.OnRecordDelete("pins").BindFunc(keep)
		app.OnRecordUpdate("pins").BindFunc(keep)
		var ids []string
		if err := app.DB().NewQuery("SELECT id FROM hashtags").Column(&ids); err != nil {
			t.Fatal(err)
		}
		err = renameEdges(app, "hashtags", "'new' || id", ids)
		if err == nil || !strings.Contains(err.Error(), "pins.tag of of_before") || calls != 1 {
			t.Errorf("cascade %v: after %d calls: %v", cascades, calls, err)
		}
	}
}
