package hooks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

// Every process's cron adds a recurring job, which one of them runs.
func TestRecurringWorkIsAJobThatWaitsOnce(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	s.RunJobs()
	changes := func() (n int) {
		t.Helper()
		if err := s.App.NonconcurrentDB().NewQuery(`SELECT total_changes()`).Row(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var kinds []string
	for _, cron := range s.App.Cron().Jobs() {
		if strings.HasPrefix(cron.Id(), "__pb") {
			continue
		}
		kinds = append(kinds, cron.Id())
		before := changes()
		cron.Run()
		cron.Run() // of another process
		if n := changes() - before; n != 1 {
			t.Errorf("%s changes %d rows, want its job alone", cron.Id(), n)
		}
		if n := s.Rows("jobs", "kind = {:kind} AND dedupe != '' AND state = 'ready'", map[string]any{"kind": cron.Id()}); n != 1 {
			t.Errorf("%s left %d jobs, want 1", cron.Id(), n)
		}
	}
	for _, kind := range []string{"story.expire", "reconcile", "photo.collect", "retention"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("nothing recurs that is called %s: %v", kind, kinds)
		}
	}
	s.RunJobs()
	if n := s.Rows("jobs", "1"); n != 0 {
		t.Errorf("%d of them are left, for which there is nobody", n)
	}
}
