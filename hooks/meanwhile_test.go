package hooks_test

import (
	"errors"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/hooks/hookstest"
	"doubletap/internal/sweep"
)

// A work comes to its end although looking for what there is not takes all the time that a step has.
func TestASlowLookKeepsNoWorkFromItsEnd(t *testing.T) {
	s := hookstest.New(t)
	sweep.SetPace(s.App, sweep.Pace{Rows: 400}) // it is late as soon as it begins
	looks, left := 0, 3
	work := sweep.Work{Kind: "late", Parts: []sweep.Part{
		{Do: func(core.App, sweep.Subject, int) (int, error) {
			if looks++; looks > 10 {
				return 0, errors.New("it looks again and again")
			}
			return 0, nil
		}},
		{Weight: 400, Do: func(core.App, sweep.Subject, int) (int, error) {
			n := min(left, 1)
			left -= n
			return n, nil
		}},
	}}
	if err := work.Finish(t.Context(), s.App, nil); err != nil || left != 0 {
		t.Errorf("%v, %d rows are left", err, left)
	}
}
