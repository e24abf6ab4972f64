package visibility

import (
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db/dbtest"
)

func idOf(name string) string { return name + strings.Repeat("0", 15-len(name)) }

// TestWhoSeesAPost goes through what stands between bob, or a guest, and a post of ada's.
func TestWhoSeesAPost(t *testing.T) {
	follow := func(follower, followee, state string) dbx.Params {
		return dbx.Params{"id": idOf("follow"), "follower": idOf(follower), "followee": idOf(followee), "state": state}
	}
	block := func(blocker, blocked string) dbx.Params {
		return dbx.Params{"id": idOf("block"), "blocker": idOf(blocker), "blocked": idOf(blocked)}
	}
	for name, c := range map[string]struct {
		post, ada       dbx.Params // what is not as usual
		follow, block   dbx.Params
		bob, guest, own bool // who sees it
	}{
		"public":                                {bob: true, guest: true, own: true},
		"for followers":                         {post: dbx.Params{"visibility": "followers"}, own: true},
		"for followers, one of whom he is":      {post: dbx.Params{"visibility": "followers"}, follow: follow("bob", "ada", "accepted"), bob: true, own: true},
		"for followers, and he has asked":       {post: dbx.Params{"visibility": "followers"}, follow: follow("bob", "ada", "pending"), own: true},
		"for followers, and she follows him":    {post: dbx.Params{"visibility": "followers"}, follow: follow("ada", "bob", "accepted"), own: true},
		"private, though he follows":            {post: dbx.Params{"visibility": "private"}, follow: follow("bob", "ada", "accepted"), own: true},
		"hidden by a moderator":                 {post: dbx.Params{"hidden": true}, follow: follow("bob", "ada", "accepted"), own: true},
		"of a private account":                  {ada: dbx.Params{"private": true}, own: true},
		"of a private account that he follows":  {ada: dbx.Params{"private": true}, follow: follow("bob", "ada", "accepted"), bob: true, own: true},
		"of a suspended account":                {ada: dbx.Params{"state": "suspended"}, follow: follow("bob", "ada", "accepted"), own: true},
		"of somebody who blocked him":           {follow: follow("bob", "ada", "accepted"), block: block("ada", "bob"), guest: true, own: true},
		"of somebody whom he blocked":           {follow: follow("bob", "ada", "accepted"), block: block("bob", "ada"), guest: true, own: true},
		"of somebody who blocked somebody else": {block: block("ada", "cyn"), bob: true, guest: true, own: true},
	} {
		t.Run(name, func(t *testing.T) {
			app := dbtest.NewApp(t, core.BaseAppConfig{})
			insert := func(table string, row dbx.Params, changes dbx.Params) {
				for column, value := range changes {
					row[column] = value
				}
				if _, err := app.NonconcurrentDB().Insert(table, row).Execute(); err != nil {
					t.Fatalf("insert into %s: %v", table, err)
				}
			}
			for _, person := range []string{"ada", "bob", "cyn"} {
				changes := dbx.Params{}
				if person == "ada" {
					changes = c.ada
				}
				insert("users", dbx.Params{"id": idOf(person), "handle": person, "email": person + "@example.com", "tokenKey": strings.Repeat(person, 12), "password": "x", "state": "active"}, changes)
			}
			insert("posts", dbx.Params{"id": idOf("post"), "author": idOf("ada"), "photos": `["a.jpg"]`, "visibility": "public"}, c.post)
			if c.follow != nil {
				insert("follows", c.follow, nil)
			}
			if c.block != nil {
				insert("blocks", c.block, nil)
			}
			for me, want := range map[string]bool{idOf("bob"): c.bob, "": c.guest, idOf("ada"): c.own} {
				if sees, err := MaySeePost(app, me, idOf("post")); err != nil || sees != want {
					t.Errorf("%q sees it: %v (%v), want %v", me, sees, err, want)
				}
				if sees, err := MaySeeUser(app, me, idOf("ada")); c.post == nil && (err != nil || sees != want) {
					t.Errorf("%q sees what she shows to all: %v (%v), want %v", me, sees, err, want)
				}
			}
		})
	}
}
