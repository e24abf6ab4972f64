package visibility

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/migrations"
)

// PocketBase exports the table of functions but does not document it: this test fails the day it changes.
func TestFunctionsAreInTheRuleLanguage(t *testing.T) {
	for _, name := range []string{"follows", "blocked", "blockedBy", "sees", "seesPost", "seesTag", "geoDistance"} {
		if search.TokenFunctions[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestFunctionsWantTheCallerLiterally(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	posts, err := app.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	for filter, ok := range map[string]bool{
		`seesPost(@request.auth.id, id) = true`:            true,
		`sees(@request.auth.id, author, "public") = true`:  true,
		`blocked(@request.auth.id, author) = false`:        true,
		`seesPost(id, id) = true`:                          false,
		`seesPost("someone", id) = true`:                   false,
		`seesPost(@request.auth.name, id) = true`:          false,
		`seesPost(@request.auth.id) = true`:                false,
		`seesPost(@request.auth.id, id, id) = true`:        false,
		`sees(@request.auth.id, author, 1) = true`:         false,
		`follows(@request.auth.id, users_via_x.id) = true`: false,
	} {
		posts.ListRule = types.Pointer(filter)
		if err := app.Validate(posts); (err == nil) != ok {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

func TestRegisterPanicsOnATakenName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	RegisterFunction("sees", 1, func(me string, _ ...string) string { return me })
}
