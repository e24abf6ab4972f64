package hooks_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestWhatAnAccountClosesIsPurged closes ada's account in each way: shared caches have her public photos, and no others.
func TestWhatAnAccountClosesIsPurged(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for name, change := range map[string]jsonObject{"private": {"private": true}, "suspended": {"state": "suspended"}, "renamed": {"name": "another"}} {
		var mu sync.Mutex
		var purged []string
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
				mu.Lock()
				defer mu.Unlock()
				purged = append(purged, e.URLs...)
				return e.Next()
			})
		})
		ada := s.As("ada")
		public, private := ada.Post("hello"), ada.Post("secret", "visibility", "private")
		s.Admin().Update("users", ada.ID, change)
		s.RunJobs()
		mu.Lock()
		has := func(id string) bool {
			return slices.ContainsFunc(purged, func(url string) bool { return strings.Contains(url, id) })
		}
		if has(public) != (name != "renamed") || has(private) {
			t.Errorf("%s: purged are %q", name, purged)
		}
		mu.Unlock()
	}
}
