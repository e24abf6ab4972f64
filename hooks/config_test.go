package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestAClientLearnsWhatItNeedsBeforeItSignsIn(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	got := s.Guest().Must(200, "GET", "/api/v1/config", nil)
	limits, _ := got.Body["limits"].(map[string]any)
	if got.Body["vapidKey"] != s.Social.PushKey() || len(s.Social.PushKey()) != 87 || got.Body["version"] == "" || got.Body["mail"] != true || len(got.Body) != 4 { // the kit takes mail
		t.Errorf("got %s", got.Raw)
	}
	for name, want := range map[string]float64{"photos": 10, "photoBytes": 50 << 20, "caption": 2200, "comment": 2200, "bio": 300, "handle": 30, "batch": 50} {
		if limits[name] != want {
			t.Errorf("limits.%s: got %v, want %v", name, limits[name], want)
		}
	}
	if got.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("got Cache-Control %q", got.Header.Get("Cache-Control"))
	}

	posts, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	posts.Fields.GetByName("caption").(*core.TextField).Max = 500 // by an admin in the dashboard
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	got = s.Guest().Must(200, "GET", "/api/v1/config", nil)
	if limits, _ = got.Body["limits"].(map[string]any); limits["caption"] != 500.0 {
		t.Errorf("limits.caption: got %v, want what an admin changed it to", limits["caption"])
	}
}
