package hooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestAdoptingRefusesEveryClashAtOnce has one app with all clashes: they are told in one round, each with its rows.
func TestAdoptingRefusesEveryClashAtOnce(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t)
	for _, name := range []string{"posts", "webhooks", "secrets", "orders"} {
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "title"})
		c.ListRule = types.Pointer(`@request.auth.role = "admin"`)
		p.must(p.app.Save(c))
		p.must(p.app.Save(core.NewRecord(c)))
	}
	p.changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "state"}, &core.SelectField{Name: "role", Values: []string{"admin", "moderator", "guest"}, MaxSelect: 1},
			&core.EditorField{Name: "bio"}, &core.TextField{Name: "handle"}, &core.NumberField{Name: "followersCount"}, &core.BoolField{Name: "private"})
	})
	for _, values := range []map[string]any{
		{"state": "CA", "role": "admin", "bio": strings.Repeat("<p>hello</p>", 90), "handle": "Ann Smith", "followersCount": 3, "private": true},
		{"state": "CA", "role": "moderator", "handle": "Ann Smith"},
		{"state": "paid"},
	} {
		p.addUser(core.GenerateDefaultRandomId()+"@example.com", values)
	}
	said := p.refusal(hooks.Adoption{Role: map[string]string{"admin": "moderator", "moderator": "member"}})
	for _, want := range []string{
		"posts (1 row): the name is taken", "webhooks (1 row)",
		"users.state (3 rows): ", `no meaning yet: "CA", "paid"`, "Adoption.State",
		"users.role (2 rows): its values would change, and these read them: orders.listRule, posts.listRule",
		"users.bio (1 row): it is an editor field", "users.handle (2 rows): it is the app's own", "Adoption.Handle",
		"users.followersCount (1 row)", "users.private (1 row): ", "Adoption.Same",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the refusal does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(strings.ReplaceAll(said, " | ", "\n"))
	}
	if strings.Contains(said, "orders (") {
		t.Error("a name that only a later version needs is refused")
	}
}

// TestAdoptingRefusesValuesThatDoNotFit has fields that the owner says are the same, with values that ours cannot hold.
func TestAdoptingRefusesValuesThatDoNotFit(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "bio"}, &core.TextField{Name: "handle"}, &core.TextField{Name: "role"})
	})
	p.addUser("ann@example.com", map[string]any{"bio": strings.Repeat("ä", 301), "handle": "Ann Smith", "role": "boss"})
	p.addUser("bob@example.com", map[string]any{"bio": strings.Repeat("ä", 300), "handle": "bob"})
	p.addUser("eve@example.com", map[string]any{"handle": "bob"})
	said := p.refusal(hooks.Adoption{Same: []string{"bio", "handle"}, Role: map[string]string{"boss": "king"}})
	for _, want := range []string{"users.bio (1 row): values have more than 300 characters", "users.handle (3 rows): values have no handle", `Adoption.Role maps "boss" to "king"`} {
		if !strings.Contains(said, want) {
			t.Errorf("the refusal does not say %q: %s", want, said)
		}
	}
}

// TestAdoptingMapsWhatTheOwnerSays has the same app with decisions.
func TestAdoptingMapsWhatTheOwnerSays(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "bio"}, &core.TextField{Name: "nick"}, &core.TextField{Name: "state"}, &core.BoolField{Name: "private"},
			&core.TextField{Name: "handle"}, &core.SelectField{Name: "role", Values: []string{"admin", "moderator"}, MaxSelect: 1})
	})
	p.addUser("ann@example.com", map[string]any{"nick": "Ann Smith", "role": "admin", "state": "ok", "bio": "I cook.", "private": true, "handle": "XX"})
	p.addUser("bob@example.com", map[string]any{"nick": "Ann Smith", "role": "moderator", "state": "banned"})
	p.addUser("carol@example.com", map[string]any{"nick": "support", "handle": "XX"})
	s := p.adopt(hooks.Adoption{
		Handle: func(user *core.Record) string { return user.GetString("nick") },
		Role:   map[string]string{"admin": "moderator", "moderator": "member"},
		State:  map[string]string{"ok": "active", "banned": "suspended"},
		Same:   []string{"bio", "private"},
	})
	for email, want := range map[string][]string{
		"ann@example.com": {"ann_smith", "moderator", "active", "I cook.", "true"}, "bob@example.com": {"ann_smith_2", "member", "suspended", "", "false"},
		"carol@example.com": {"support_2", "member", "active", "", "false"},
	} {
		user, err := s.App.FindAuthRecordByEmail("users", email)
		if err != nil {
			t.Fatal(err)
		}
		for i, field := range []string{"handle", "role", "state", "bio", "private"} {
			if got := user.GetString(field); got != want[i] {
				t.Errorf("%s of %s is %q, want %q", field, email, got, want[i])
			}
		}
	}
	if a := signIn(s, "bob@example.com"); a.Status != 403 {
		t.Errorf("a suspended person signs in: %d", a.Status)
	}
	if a := signIn(s, "ann_smith"); a.Status != 200 {
		t.Errorf("an active person signs in by the new handle: %d %s", a.Status, a.Raw)
	}
	s.As("ann_smith").Must(200, "GET", "/api/v1/moderation/queue", nil)
	s.As("support_2").Must(403, "GET", "/api/v1/moderation/queue", nil)
}

// TestAdoptingGivesHandles has people with the names that there are.
func TestAdoptingGivesHandles(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.Fields.Add(&core.TextField{Name: "username"}) })
	want := map[string]string{}
	for i, c := range []struct{ username, name, local, handle string }{
		{"Ann.Smith", "Ann", "a", "ann.smith"}, {"ann.smith", "", "b1", "ann.smith_2"}, {"ann.smith-", "", "b2", "ann_smith"},
		{"", "Jörg Müller", "c", "jorg_muller"}, {"", "", "dora+news", "dora"}, {"", "李", "li.wei", "li.wei"}, {"", "", "x", "user_2"}, {"", "", "y", "user_3"},
		{"admin", "", "e", "admin_2"}, {"", "Supp0rt", "f", "supp0rt_2"}, {"__", "", "g.h_i", "g.h_i"}, {"a..b", "", "h", "a_b"},
		{strings.Repeat("x", 40), "", "i", strings.Repeat("x", 20)}, {strings.Repeat("y", 30), "", "j", strings.Repeat("y", 30)}, {strings.Repeat("Y", 30), "", "k", strings.Repeat("y", 28) + "_2"},
	} {
		email := c.local + "@x" + strings.Repeat("a", i) + ".example.com"
		want[p.addUser(email, map[string]any{"username": c.username, "name": c.name})] = c.handle
	}
	s := p.adopt()
	for id, handle := range want {
		user := s.Record("users", id)
		if got := user.GetString("handle"); got != handle {
			t.Errorf("%s, %q, %s: the handle is %s, want %s", user.GetString("username"), user.GetString("name"), user.Email(), got, handle)
		}
		if a := clientWith(s, mustToken(t, user)).Do("PATCH", "/api/collections/users/records/"+id, map[string]any{"bio": "hello"}); a.Status != 200 {
			t.Errorf("%s cannot save their profile: %s", user.GetString("handle"), a.Raw)
		}
	}
}

func mustToken(t *testing.T, user *core.Record) string {
	t.Helper()
	token, err := user.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestAdoptingKeepsFilesAndSettings has avatars of kinds and sizes of the app's own choice, and batches of its own.
func TestAdoptingKeepsFilesAndSettings(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		avatar := users.Fields.GetByName("avatar").(*core.FileField)
		avatar.MimeTypes, avatar.Thumbs, avatar.MaxSize = []string{"image/svg+xml", "image/jpeg"}, []string{"50x50"}, 1<<20
	})
	settings := p.app.Settings()
	settings.Batch.Enabled, settings.Batch.MaxRequests = true, 7
	p.must(p.app.Save(settings))
	drawing, err := filesystem.NewFileFromBytes([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>`), "ann.svg")
	p.must(err)
	photo, err := filesystem.NewFileFromBytes(hookstest.Photo(), "bob.jpg")
	p.must(err)
	ann, bob := p.addUser("ann@example.com", map[string]any{"avatar": drawing}), p.addUser("bob@example.com", map[string]any{"avatar": photo})
	s := p.adopt()
	if a := s.Guest().Do("GET", "/api/files/users/"+ann+"/"+s.User("ann").GetString("avatar"), nil); a.Status != 200 || !strings.HasPrefix(a.Raw, "<svg") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a drawing: %d %v %s", a.Status, a.Header, a.Raw)
	}
	for query, want := range map[string]int{"": 200, "?thumb=50x50": 200, "?thumb=320x320": 200, "?thumb=51x51": 404} {
		for user, handle := range map[string]string{ann: "ann", bob: "bob"} {
			if a := s.Guest().Do("GET", "/api/files/users/"+user+"/"+s.User(handle).GetString("avatar")+query, nil); a.Status != want && handle == "bob" || handle == "ann" && a.Status != 200 {
				t.Errorf("the avatar of %s%s: %d %s", handle, query, a.Status, a.Raw)
			}
		}
	}
	users, err := s.App.FindCollectionByNameOrId("users")
	p.must(err)
	avatar := users.Fields.GetByName("avatar").(*core.FileField)
	if avatar.MaxSize != 1<<20 || strings.Join(avatar.MimeTypes, " ") != "image/svg+xml image/jpeg" {
		t.Errorf("the avatar's field takes %v of %d bytes", avatar.MimeTypes, avatar.MaxSize)
	}
	if n := s.App.Settings().Batch.MaxRequests; n != 7 {
		t.Errorf("batches of %d requests, want 7", n)
	}
}

// TestAdoptingKeepsAnAvatarProtected has avatars that only the person sees.
func TestAdoptingKeepsAnAvatarProtected(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.Fields.GetByName("avatar").(*core.FileField).Protected = true })
	photo, err := filesystem.NewFileFromBytes(hookstest.Photo(), "ann.jpg")
	p.must(err)
	ann := p.addUser("ann@example.com", map[string]any{"avatar": photo})
	p.addUser("bob@example.com", nil)
	s := p.adopt()
	url := "/api/files/users/" + ann + "/" + s.User("ann").GetString("avatar") + "?thumb=320x320&token="
	for name, want := range map[string]int{"ann": 200, "bob": 404, "": 404} {
		token := ""
		if name != "" {
			token, _ = s.As(name).Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		}
		if a := s.Guest().Do(http.MethodGet, url+token, nil); a.Status != want {
			t.Errorf("the protected avatar for %q: %d, want %d", name, a.Status, want)
		}
	}
}

// TestAdoptingGivesHandlesThatLookMade has a name that is the handle which a newcomer of that id could be given first.
func TestAdoptingGivesHandlesThatLookMade(t *testing.T) {
	testenv.SkipSequential(t)
	for _, same := range []bool{false, true} {
		p := newPlainApp(t).changeUsers(func(users *core.Collection) {
			if same {
				users.Fields.Add(&core.TextField{Name: "handle"})
			}
		})
		bob := p.addUser("bob@example.com", nil)
		ann := p.addUser("ann@example.com", map[string]any{"name": "user_" + bob, "handle": "user_" + bob})
		s := p.adopt(hooks.Adoption{Same: []string{"handle"}})
		for id, want := range map[string]string{ann: "user_" + bob, bob: "bob"} {
			if got := s.Record("users", id).GetString("handle"); got != want {
				t.Errorf("same %v: the handle is %s, want %s", same, got, want)
			}
		}
	}
}

// TestAdoptingReplacesIndexesOfTheHandle has an app with handles of its own, by which people sign in, and all kinds of
// unique indexes of them: ours replace these.
func TestAdoptingReplacesIndexesOfTheHandle(t *testing.T) {
	testenv.SkipSequential(t)
	for _, name := range []string{"idx_own_handle", "idx_users_handle", "IDX_users_HANDLE_lookup"} {
		for _, o := range []hooks.Adoption{{Handle: func(user *core.Record) string { return user.GetString("handle") }}, {Same: []string{"handle"}}} {
			p := newPlainApp(t).changeUsers(func(users *core.Collection) {
				users.Fields.Add(&core.TextField{Name: "handle"}, &core.TextField{Name: "tenant"})
				users.AddIndex(name, true, "handle", "")
				users.AddIndex("idx_own_both", true, "tenant, handle", "")
				users.AddIndex("idx_own_tenant", false, "tenant", "")
				users.PasswordAuth.IdentityFields = []string{"handle"}
			})
			p.addUser("ann@example.com", map[string]any{"handle": "ann"})
			p.addUser("bob@example.com", map[string]any{"handle": "bob"})
			s := p.adopt(o)
			for _, handle := range []string{"ann", "bob"} {
				if a := signIn(s, handle); a.Status != 200 {
					t.Errorf("%s: %s signs in: %d %s", name, handle, a.Status, a.Raw)
				}
			}
			users, err := s.App.FindCollectionByNameOrId("users")
			p.must(err)
			if n := s.Rows("sqlite_master", "name LIKE 'idx_own_%'"); n != 1 || users.GetIndex("idx_own_tenant") == "" || users.GetIndex("idx_own_both") != "" {
				t.Errorf("%s: of the app's own indexes %d are left: %v", name, n, users.Indexes)
			}
			if index := users.GetIndex("idx_users_handle"); !strings.Contains(index, "UNIQUE") || !strings.Contains(index, "WHERE") {
				t.Errorf("%s: ours is %s", name, index)
			}
		}
	}
}

// TestAdoptingRefusesNamesOfIndexes has indexes with the names of ours, on users and elsewhere.
func TestAdoptingRefusesNamesOfIndexes(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.AddIndex("idx_users_handle", false, "name", "") })
	articles := core.NewBaseCollection("articles")
	articles.Fields.Add(&core.TextField{Name: "title"})
	articles.AddIndex("IDX_posts_author", false, "title", "")
	articles.AddIndex("idx_posts_title", false, "title DESC", "")
	p.must(p.app.Save(articles))
	said := p.refusal()
	for _, want := range []string{"users (0 rows): its index idx_users_handle has the name of one of ours", "articles (0 rows): its index IDX_posts_author has"} {
		if !strings.Contains(said, want) {
			t.Errorf("the refusal does not say %q: %s", want, said)
		}
	}
	if strings.Contains(said, "idx_posts_title") {
		t.Error("a name that is free is refused")
	}
}

// TestAdoptingRemembersOverWhatIsThere has a row of an adoption that was undone by hand.
func TestAdoptingRemembersOverWhatIsThere(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.Fields.Add(&core.TextField{Name: "phone"}) })
	ann := p.addUser("ann@example.com", map[string]any{"phone": "555-1", "name": "ann"})
	_, err := p.app.DB().NewQuery(`INSERT INTO _params (id, value) VALUES ('doubletap_adoption', '{}')`).Execute()
	p.must(err)
	if raw := p.adopt().Guest().Must(200, "GET", "/api/collections/users/records/"+ann, nil).Raw; strings.Contains(raw, "555-1") {
		t.Errorf("a guest sees %s", raw)
	}
}
