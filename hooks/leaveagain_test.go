package hooks_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// inPlain changes a folder that nobody serves, as its owner would in the dashboard of a plain PocketBase.
func inPlain(t *testing.T, dir string, change func(app core.App) error) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	if err := change(app); err != nil {
		t.Fatal(err)
	}
}

// expectRefused runs the command, which has to say all of wants.
func expectRefused(t *testing.T, dir string, drop bool, wants ...string) {
	t.Helper()
	out, err := runLeave(t, dir, leaveArgs(drop)...)
	if err == nil {
		t.Errorf("drop=%v is not refused:\n%s", drop, out)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("drop=%v: it does not say %q:\n%s", drop, want, out)
		}
	}
}

// TestLeavingShowsNoPrivateField has an app whose fields were private, and rules of its owner that only Doubletap could
// keep from showing them.
func TestLeavingShowsNoPrivateField(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "phone"}, &core.TextField{Name: "city"})
	})
	p.addUser("ann@example.com", map[string]any{"name": "Ann", "phone": "555-1", "city": "Rome"})
	p.close()
	t.Run("adopted", func(t *testing.T) { hookstest.Open(t, p.dir) })
	execIn(t, p.dir, `UPDATE _collections SET viewRule = '', listRule = '@request.auth.id != ""', fields = (SELECT json_group_array(iif(value ->> 'name' = 'city', json_set(value, '$.hidden', json('true')), json(value))) FROM json_each(fields)) WHERE name = 'users'`)
	for _, drop := range []bool{false, true} {
		expectRefused(t, p.dir, drop, "users.viewRule (1 row): it shows others email, phone, which were private; close the rule or hide the fields",
			"users.listRule (1 row): it shows others email, phone, which were private", "2 things have to be decided first; nothing is changed")
	}
	execIn(t, p.dir, `UPDATE _collections SET viewRule = 'id = @request.auth.id', listRule = NULL WHERE name = 'users'`)
	if out, err := runLeave(t, p.dir); err != nil {
		t.Errorf("with closed rules: %v\n%s", err, out)
	}
}

// TestLeavingAgainDropsNothingOfTheApp has an owner who has made things since we left, with our names, our ids, and
// pointing at what was kept.
func TestLeavingAgainDropsNothingOfTheApp(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	p, _, _ := makeClubFolder(t)
	p.close()
	t.Run("used", func(t *testing.T) { hookstest.Open(t, p.dir).As("ann").Post("sea") })
	if out, err := runLeave(t, p.dir); err != nil {
		t.Fatalf("leave: %v\n%s", err, out)
	}
	mutes := core.NewBaseCollection("mutes")
	inPlain(t, p.dir, func(app core.App) error {
		ours, err := app.FindCollectionByNameOrId("mutes")
		if err != nil {
			return err
		}
		if err := app.Delete(ours); err != nil {
			return err
		}
		mutes.Id = ours.Id
		mutes.Fields.Add(&core.TextField{Name: "title"})
		if err := app.Save(mutes); err != nil {
			return err
		}
		posts, err := app.FindCollectionByNameOrId("posts")
		if err != nil {
			return err
		}
		books, readers := core.NewBaseCollection("books"), core.NewViewCollection("readers")
		books.Fields.Add(&core.RelationField{Name: "cover", CollectionId: posts.Id, MaxSelect: 1})
		readers.ViewQuery = "SELECT id, handle FROM users"
		for _, c := range []*core.Collection{books, readers} {
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return app.Save(core.NewRecord(mutes))
	})
	replaceBio(t, p.dir)
	execIn(t, p.dir, `DROP TABLE gone_ids`)
	execIn(t, p.dir, `CREATE TABLE gone_ids (mine TEXT)`)
	kept := filepath.Join(p.dir, "storage", mutes.Id, "row", "a.jpg")
	p.must(os.MkdirAll(filepath.Dir(kept), 0o700))
	p.must(os.WriteFile(kept, nil, 0o600))

	expectRefused(t, p.dir, true, "books.cover (0 rows): it points at posts, which goes", "readers (0 rows): it is a view that may read users.handle", "2 things")
	command := osexec.Command(os.Args[0], "adopt", "--check", "--dir="+p.dir)
	command.Env = append(os.Environ(), programDirEnv+"="+p.dir)
	out, err := command.CombinedOutput()
	for _, want := range []string{"posts (1 row): Doubletap kept it when it left", "users.handle (1 row): Doubletap kept it when it left this folder; the command leave --drop deletes", "users.followersCount (0 rows): Doubletap kept it", "mutes (1 row): the name is taken", "gone_ids (0 rows): the name is taken"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("adopting does not say %q: %v\n%s", want, err, out)
		}
	}
	inPlain(t, p.dir, func(app core.App) error {
		for _, name := range []string{"books", "readers"} {
			c, err := app.FindCollectionByNameOrId(name)
			if err == nil {
				err = app.Delete(c)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	// the second and third are as if the command had been killed before it deleted the files
	for _, note := range []string{"", `{"dropped":true,"folders":["` + mutes.Id + `","none"]}`, `{"replaced":["CREATE UNIQUE INDEX idx_username ON users (username)"],"folders":["` + mutes.Id + `"]}`} {
		if note != "" {
			execIn(t, p.dir, `INSERT INTO _params (id, value) VALUES ('doubletap_left', '`+note+`')`)
		}
		if out, err := runLeave(t, p.dir, "--drop"); err != nil {
			t.Fatalf("leave --drop with %s: %v\n%s", note, err, out)
		}
	}
	inPlain(t, p.dir, func(app core.App) error {
		if n, err := app.CountRecords("mutes"); err != nil || n != 1 {
			t.Errorf("of the app's own mutes there are %d, %v", n, err)
		}
		ann, err := app.FindFirstRecordByData("users", "name", "Ann")
		if err != nil || ann.GetString("bio") != "the club's" || ann.Collection().Fields.GetByName("role") != nil {
			t.Errorf("the app's own bio and no role of ours are left of ann: %v, %v", ann, err)
		}
		if app.HasTable("posts") || app.HasTable("likes") || !app.HasTable("gone_ids") {
			t.Error("posts and likes have to be gone, and the app's own gone_ids there")
		}
		_, err = os.Stat(kept)
		return err
	})
}

// replaceBio has the app drop the field of users that we left, and make one of its own with the name, which gets the id.
func replaceBio(t *testing.T, dir string) {
	t.Helper()
	inPlain(t, dir, func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		ours := users.Fields.GetByName("bio").GetId()
		users.Fields.RemoveByName("bio")
		if err := app.Save(users); err != nil {
			return err
		}
		users.Fields.Add(&core.TextField{Name: "bio"})
		if err := app.Save(users); err != nil {
			return err
		}
		if id := users.Fields.GetByName("bio").GetId(); id != ours {
			t.Errorf("the app's field has the id %s, ours had %s", id, ours)
		}
		ann, err := app.FindFirstRecordByData("users", "name", "Ann")
		if err != nil {
			return err
		}
		ann.Set("bio", "the club's")
		return app.Save(ann)
	})
}

// TestLeavingKeepsPeopleLockedOut has somebody suspended, by our field or by the app's own, which was mapped.
func TestLeavingKeepsPeopleLockedOut(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("own=%v", own), func(t *testing.T) {
			p := newPlainApp(t).changeUsers(func(users *core.Collection) {
				users.AuthRule = types.Pointer("verified = true")
				if own {
					users.Fields.Add(&core.TextField{Name: "state"})
				}
			})
			p.addUser("ann@example.com", map[string]any{"name": "Ann", "verified": true, "state": "ok"})
			p.addUser("eve@example.com", map[string]any{"name": "Eve", "verified": true, "state": "banned"})
			before := rulesAndOptions(t, p.app)
			p.close()
			t.Run("adopted", func(t *testing.T) {
				hookstest.Open(t, p.dir, func(_ core.App, social *hooks.Social) {
					if own {
						social.Adopt(hooks.Adoption{State: map[string]string{"ok": "active", "banned": "suspended"}})
					}
				})
			})
			if !own {
				execIn(t, p.dir, `UPDATE users SET state = 'suspended' WHERE email = 'eve@example.com'`)
			}
			for _, drop := range []bool{false, true} {
				if out, err := runLeave(t, p.dir, leaveArgs(drop)...); err != nil {
					t.Fatalf("drop=%v: %v\n%s", drop, err, out)
				}
				want := 403
				if drop && !own {
					want = 200
				}
				plain := servePlain(t, p.dir)
				for email, status := range map[string]int{"ann@example.com": 200, "eve@example.com": want} {
					plain.ask(status, "", "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": email, "password": hookstest.Password})
				}
				plain.end()
			}
			if !own {
				inPlain(t, p.dir, func(app core.App) error {
					if after := rulesAndOptions(t, app); after != before {
						t.Errorf("before it was\n%s\nnow it is\n%s", before, after)
					}
					return nil
				})
			}
		})
	}
}
