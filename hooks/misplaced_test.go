package hooks_test

import (
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestAnEdgeUnderAnotherIDIsThatEdge stores each kind of edge under an id that is not its natural key, as an import
// or an app before ours may have done.
func TestAnEdgeUnderAnotherIDIsThatEdge(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const imported = "imported0000000"
	for _, name := range collection.EdgeNames() {
		t.Run(name, func(t *testing.T) {
			s := hookstest.New(t)
			ada, bob := s.As("ada"), s.As("bob")
			body := clientRows[name](newSubjects(ada))
			key := bob.Create(name, body).ID()
			execSQL(t, s.App, "UPDATE "+name+" SET id = '"+imported+"' WHERE id = '"+key+"'")
			for range 2 {
				if again := bob.Create(name, body); again.ID() != imported {
					t.Errorf("said again, it is %s", again.Raw)
				}
			}
			if n := s.Rows(name, "1"); n != 1 {
				t.Errorf("%d rows", n)
			}

			if done := doctorRepairs(t, s.App); done["keys"] != 1 {
				t.Fatalf("repaired %v", done)
			}
			if again := bob.Create(name, body); again.ID() != key || s.Rows(name, "1") != 1 {
				t.Errorf("after the repair it is %s", again.Raw)
			}
		})
	}
}
