package visibility

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestTheFeedEndsMutesAsAllElseDoes holds the view that the migrations make, whose text is frozen, to the predicate.
func TestTheFeedEndsMutesAsAllElseDoes(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	var view string
	if found, err := db.QueryValue(app, &view, `SELECT sql FROM sqlite_schema WHERE name = 'feed'`, nil); err != nil || !found {
		t.Fatalf("the view of the feed: %v %v", found, err)
	}
	lasts := MuteLastsSQL("m.until", TimeSQL)
	if asked := strings.Count(view, "mutes m"); asked == 0 || strings.Count(view, lasts) != asked || strings.Count(view, "until") != asked*strings.Count(lasts, "until") {
		t.Errorf("the feed asks for mutes %d times, and not each time whether %s:\n%s", asked, lasts, view)
	}
}
