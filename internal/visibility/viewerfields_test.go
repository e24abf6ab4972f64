package visibility

import (
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
)

const (
	yesterday = "2026-01-01 00:00:00.000Z"
	today     = "2026-01-02 00:00:00.000Z"
	tomorrow  = "2026-01-03 00:00:00.000Z"
)

// TestWhatIsBetweenTwoPeople names each person after what is between ada and them.
func TestWhatIsBetweenTwoPeople(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	rows := 0
	insert := func(table string, row dbx.Params) {
		t.Helper()
		rows++
		row["id"] = table + string(rune('a'+rows))
		if _, err := app.NonconcurrentDB().Insert(table, row).Execute(); err != nil {
			t.Fatalf("insert into %s: %v", table, err)
		}
	}
	insert("blocks", dbx.Params{"blocker": idOf("ada"), "blocked": idOf("another")})
	insert("mutes", dbx.Params{"muter": idOf("ada"), "muted": idOf("another")})
	for name, test := range map[string]struct {
		table, by, to string // a row of the table, in which by is the one who acts; empty for ada
		more          dbx.Params
		want          string
	}{
		"stranger":  {},
		"followed":  {table: "follows", to: "followed", more: dbx.Params{"state": "accepted"}, want: "following"},
		"asked":     {table: "follows", to: "asked", more: dbx.Params{"state": "pending"}, want: "requested"},
		"follower":  {table: "follows", by: "follower", more: dbx.Params{"state": "accepted"}, want: "followsMe"},
		"asking":    {table: "follows", by: "asking", more: dbx.Params{"state": "pending"}},
		"blocked":   {table: "blocks", to: "blocked", want: "blocking"},
		"blocker":   {table: "blocks", by: "blocker"},
		"muted":     {table: "mutes", to: "muted", want: "muting"},
		"muter":     {table: "mutes", by: "muter"},
		"mutedonce": {table: "mutes", to: "mutedonce", more: dbx.Params{"until": yesterday}},
		"mutednow":  {table: "mutes", to: "mutednow", more: dbx.Params{"until": tomorrow}, want: "muting"},
		"mutedlive": {table: "mutes", to: "mutedlive", more: dbx.Params{"keepNotifications": true}, want: "muting"},
	} {
		if test.table != "" {
			ends := map[string][2]string{"follows": {"follower", "followee"}, "blocks": {"blocker", "blocked"}, "mutes": {"muter", "muted"}}[test.table]
			row := dbx.Params{ends[0]: idOr(test.by, "ada"), ends[1]: idOr(test.to, "ada")}
			for column, value := range test.more {
				row[column] = value
			}
			insert(test.table, row)
		}
		byUser, err := ReadRelationships(app, idOf("ada"), []string{idOf(name), idOf("nobody")}, today)
		if err != nil {
			t.Fatal(err)
		}
		byViewer, err := ReadRelationshipsByViewer(app, idOf(name), []string{idOf("nobody"), idOf("ada")}, today)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range []Relationship{byUser[idOf(name)], byViewer[idOf("ada")]} {
			if got := namesOf(found); got != test.want {
				t.Errorf("%s: %q, want %q", name, got, test.want)
			}
		}
		if got := namesOf(byUser[idOf("nobody")]) + namesOf(byViewer[idOf("nobody")]); got != "" {
			t.Errorf("%s: %q of somebody else", name, got)
		}
	}
}

func idOr(name, other string) string {
	if name == "" {
		name = other
	}
	return idOf(name)
}

func namesOf(r Relationship) string {
	var names []string
	for i, field := range RelationshipFields {
		if r[i] {
			names = append(names, field.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestWhatAViewerDidToAPost(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	for table, rows := range map[string][][2]string{
		"likes": {{"both", "ada"}, {"liked", "ada"}, {"both", "bob"}, {"saved", "bob"}},
		"saves": {{"both", "ada"}, {"saved", "ada"}, {"both", "bob"}, {"liked", "bob"}},
	} {
		for _, row := range rows {
			id := table + row[0] + row[1]
			if _, err := app.NonconcurrentDB().Insert(table, dbx.Params{"id": id, "post": idOf(row[0]), "user": idOf(row[1])}).Execute(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		viewer, post string
		want         PostEdges
	}{
		{"ada", "both", PostEdges{"likesbothada", "savesbothada"}},
		{"ada", "liked", PostEdges{"likeslikedada", ""}},
		{"ada", "saved", PostEdges{"", "savessavedada"}},
		{"ada", "other", PostEdges{"", ""}},
		{"bob", "liked", PostEdges{"", "saveslikedbob"}},
		{"bob", "saved", PostEdges{"likessavedbob", ""}},
		{"cyn", "both", PostEdges{"", ""}},
	} {
		byPost, err := ReadPostEdges(app, idOf(test.viewer), []string{idOf("other"), idOf(test.post)})
		if err != nil {
			t.Fatal(err)
		}
		byUser, err := ReadPostEdgesByUser(app, idOf(test.post), []string{idOf("dan"), idOf(test.viewer)})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []PostEdges{byPost[idOf(test.post)], byUser[idOf(test.viewer)]} {
			if !slices.Equal(got, test.want) {
				t.Errorf("%s of %s: %q, want %q", test.viewer, test.post, got, test.want)
			}
		}
	}
}
