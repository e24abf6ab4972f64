package setup

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestWhatAnOperatorStoredStays: an application URL that is stored counts as set, also if it is the listen URL.
func TestWhatAnOperatorStoredStays(t *testing.T) {
	for _, c := range []struct{ stored, want string }{{shippedURL, shippedURL}, {"https://photos.example.com", "https://photos.example.com"}, {"https://other.example.com", "https://other.example.com"}} {
		app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()}) // it has the shipped settings
		meta := &app.Settings().Meta
		meta.AppURL = c.stored
		FollowListenURL(app) // as after the settings are read at the start
		SetListenURL(app, "http://127.0.0.1:8090")
		SetListenURL(app, "https://photos.example.com")
		if said := URLDefault(app) != ""; said != (c.stored == shippedURL) {
			t.Errorf("%s: told that it is not set: %v", c.stored, said)
		}
		shown := meta.AppURL
		undo := UnfollowListenURL(app, app.Settings())
		if meta.AppURL != c.want {
			t.Errorf("%s: stored as %s with other settings", c.stored, meta.AppURL)
		}
		if undo(); meta.AppURL != shown {
			t.Errorf("%s: shown as %s, want %s", c.stored, meta.AppURL, shown)
		}
	}
}
