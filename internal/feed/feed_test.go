package feed

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/migrations" // the collections
)

// The ids of the people and their posts; adaA is older than adaB.
const (
	ada, bob, cyn    = "ada000000000000", "bob000000000000", "cyn000000000000"
	adaA, adaB, bobA = "posta0000000001", "posta0000000002", "postb0000000001"
)

// feedWorld is a data folder with ada's two posts and bob's one, in which nobody follows anybody.
type feedWorld struct {
	*testing.T
	app core.App
}

func newFeedWorld(t *testing.T) *feedWorld {
	t.Helper()
	w := &feedWorld{t, dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})}
	for _, id := range []string{ada, bob, cyn} {
		w.exec(`INSERT INTO users (id, tokenKey, email, handle, state, role) VALUES ('` + id + `', '` + id + `', '` + id + `@example.com', '` + id[:3] + `', 'active', 'member')`)
	}
	for n, post := range [][2]string{{adaA, ada}, {adaB, ada}, {bobA, bob}} {
		w.exec(`INSERT INTO posts (id, author, photos, visibility, created) VALUES ('` + post[0] + `', '` + post[1] + `', '[]', 'public', '2026-10-0` + string(rune('1'+n)) + ` 00:00:00.000Z')`)
	}
	return w
}

func (w *feedWorld) exec(statement string) {
	w.Helper()
	if _, err := db.Exec(w.app, statement, nil); err != nil {
		w.Fatal(err)
	}
}

// expectFeed fails unless the viewer's feed has these posts, newest first.
func (w *feedWorld) expectFeed(viewer string, want ...string) {
	w.Helper()
	var got []string
	if err := db.QueryColumn(w.app, &got, `SELECT post FROM feed WHERE viewer = {:viewer} ORDER BY at DESC, post DESC`, db.Params{"viewer": viewer}); err != nil {
		w.Fatal(err)
	}
	if !slices.Equal(got, want) {
		w.Errorf("the feed of %s has %q, want %q", viewer[:3], got, want)
	}
}

func TestWhatAFeedHas(t *testing.T) {
	const (
		following = `INSERT INTO follows (id, follower, followee, state) VALUES ('f', '` + cyn + `', '` + ada + `', 'accepted')`
		mute      = `INSERT INTO mutes (id, muter, muted, post, until) VALUES ('m', '` + cyn + `', `
	)
	for name, test := range map[string]struct {
		before string // statements, one a line
		want   []string
	}{
		"of nobody":                             {``, nil},
		"of somebody who is followed":           {following, []string{adaB, adaA}},
		"of whom one asked to follow":           {strings.Replace(following, "accepted", "pending", 1), nil},
		"of whom an edge without a state names": {strings.Replace(following, "accepted", "", 1), nil},
		"of a follower":                         {strings.NewReplacer(cyn, ada, ada, cyn).Replace(following), nil},
		"of two":                                {following + "\n" + strings.NewReplacer(ada, bob, "'f'", "'g'").Replace(following), []string{bobA, adaB, adaA}},
		"of somebody who is muted":              {following + "\n" + mute + `'` + ada + `', '', '')`, nil},
		"of another who is muted":               {following + "\n" + mute + `'` + bob + `', '', '')`, []string{adaB, adaA}},
		"of somebody who is muted for now":      {following + "\n" + mute + `'` + ada + `', '', '2099-01-01 00:00:00.000Z')`, nil},
		"of somebody who was muted":             {following + "\n" + mute + `'` + ada + `', '', '2000-01-01 00:00:00.000Z')`, []string{adaB, adaA}},
		"a post that is muted":                  {following + "\n" + mute + `'', '` + adaB + `', '')`, []string{adaA}},
		"a post that was muted":                 {following + "\n" + mute + `'', '` + adaB + `', '2000-01-01 00:00:00.000Z')`, []string{adaB, adaA}},
		"a post that another has muted":         {following + "\n" + strings.Replace(mute, cyn, bob, 1) + `'', '` + adaB + `', '')`, []string{adaB, adaA}},
		"a post that is deleted":                {following + "\nDELETE FROM posts WHERE id = '" + adaA + "'", []string{adaB}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newFeedWorld(t)
			for statement := range strings.Lines(test.before) {
				w.exec(statement)
			}
			w.expectFeed(cyn, test.want...)
		})
	}
	t.Run("of oneself", func(t *testing.T) {
		w := newFeedWorld(t)
		w.exec(`INSERT INTO follows (id, follower, followee, state) VALUES ('f', '` + ada + `', '` + ada + `', 'accepted')`) // as an import may have it
		w.expectFeed(ada, adaB, adaA)
		w.exec(`INSERT INTO mutes (id, muter, muted, post, until) VALUES ('m', '` + ada + `', '', '` + adaA + `', '')`)
		w.expectFeed(ada, adaB)
	})
}

func TestAHiddenPostIsHiddenFromItsViewerAlone(t *testing.T) {
	w := newFeedWorld(t)
	for n, viewer := range []string{bob, cyn} {
		w.exec(`INSERT INTO follows (id, follower, followee, state) VALUES ('f` + string(rune('0'+n)) + `', '` + viewer + `', '` + ada + `', 'accepted')`)
	}
	for range 2 { // the second time it is hidden already
		row := core.NewRecord(w.feed())
		row.Set("viewer", cyn)
		row.Set("post", adaB)
		if err := w.app.RunInTransaction(func(tx core.App) error { return HideRow(tx, row) }); err != nil {
			t.Fatal(err)
		}
		w.expectFeed(cyn, adaA)
	}
	w.expectFeed(bob, bobA, adaB, adaA)
	w.expectFeed(ada, adaB, adaA)

	var stored []string
	if err := db.QueryColumn(w.app, &stored, `SELECT viewer || post || (created != '' AND created = updated) || length(id) FROM hidden_posts`, nil); err != nil || !slices.Equal(stored, []string{cyn + adaB + "115"}) {
		t.Errorf("%q are stored, error %v", stored, err)
	}
}

func (w *feedWorld) feed() *core.Collection {
	w.Helper()
	collection, err := w.app.FindCollectionByNameOrId("feed")
	if err != nil {
		w.Fatal(err)
	}
	return collection
}

func TestARowIsSoughtByItsTwoIDs(t *testing.T) {
	w := newFeedWorld(t)
	w.exec(`INSERT INTO follows (id, follower, followee, state) VALUES ('f', '` + cyn + `', '` + ada + `', 'accepted')`)
	for id, found := range map[string]bool{
		cyn + adaA: true, ada + adaA: true, bob + adaA: false, cyn + bobA: false, adaA + cyn: false,
		"": false, cyn: false, cyn + adaA[:14]: false, cyn + adaA + "x": false, "' OR 1 OR '": false,
	} {
		row, err := w.app.FindRecordById("feed", id, SeekRow(id))
		if found != (err == nil) || (err != nil && !errors.Is(err, sql.ErrNoRows)) || (found && row.Id != id) {
			t.Errorf("%q: %v, error %v, want it found: %v", id, row, err, found)
		}
		var alone []*core.Record // what is left to be searched for the id
		query := w.app.RecordQuery("feed")
		if err := errors.Join(SeekRow(id)(query), query.All(&alone)); err != nil || (len(alone) == 1) != found || len(alone) > 1 {
			t.Errorf("%q: %d rows are searched for it, error %v", id, len(alone), err)
		}
	}
	// what is sought in another row's name is not found, and other collections are left alone
	if _, err := w.app.FindRecordById("feed", cyn+adaA, SeekRow(cyn+adaB)); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("a row is found beside the filter: %v", err)
	}
	for _, id := range []string{adaA, cyn + adaA} {
		if _, err := w.app.FindRecordById("posts", adaA, SeekRow(id)); err != nil {
			t.Errorf("a post is looked for as a row of the feed: %v", err)
		}
	}
}
