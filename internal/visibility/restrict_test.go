package visibility

import (
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestARuleShowsWhatPocketBaseShows asks every kind of rule of posts, also those without a plan, for every kind of
// viewer.
func TestARuleShowsWhatPocketBaseShows(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	users := storeCast(t, app)
	posts, err := app.FindCachedCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	shownBy := func(rule *string, viewer *core.Record) (ids []string, err error) {
		info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "GET", Auth: viewer}
		query := app.RecordQuery(posts).Select("posts.id").OrderBy("posts.id")
		if err := Restrict(app, query, posts, rule, info); err != nil {
			return nil, err
		}
		err = query.Column(&ids)
		return ids, err
	}
	viewers := append([]*core.Record{nil}, users...)
	for _, test := range postRules {
		for _, viewer := range viewers {
			want, wantErr := shownByPocketBase(app, posts, test.rule, viewer)
			got, err := shownBy(&test.rule, viewer)
			if (err == nil) != (wantErr == nil) || !slices.Equal(got, want) {
				t.Errorf("%s: shows %v (%v), want %v (%v)", test.rule, got, err, want, wantErr)
			}
		}
	}
	all := 24
	superuser := core.NewRecord(core.NewAuthCollection(core.CollectionNameSuperusers))
	nobody, everybody := (*string)(nil), new(string)
	for _, test := range []struct {
		rule   *string
		viewer *core.Record
		want   int
	}{{nobody, nil, 0}, {nobody, users[0], 0}, {nobody, superuser, all}, {everybody, nil, all}, {everybody, users[0], all}, {&postRules[0].rule, superuser, all}} {
		if got, err := shownBy(test.rule, test.viewer); err != nil || len(got) != test.want {
			t.Errorf("rule %v for %v: %d posts (%v), want %d", test.rule, test.viewer, len(got), err, test.want)
		}
	}
}
