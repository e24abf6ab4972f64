package hooks_test

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestAdoptingAClosedAppOpensNothing has an app whose people are made by an admin, sign in with a username when they
// are verified, and are shown to nobody.
func TestAdoptingAClosedAppOpensNothing(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "username", Required: true, Pattern: `^[\w.]+$`})
		users.AddIndex("idx_username", true, "username", "")
		users.ListRule, users.CreateRule = nil, nil
		users.UpdateRule = types.Pointer(`id = @request.auth.id && @request.body.name:isset = false`)
		users.AuthRule = types.Pointer(`verified = true`)
		users.PasswordAuth.IdentityFields = []string{"username"}
	})
	ann := p.addUser("ann@example.com", map[string]any{"username": "Ann.Smith", "verified": true, "name": "Ann Smith"})
	p.addUser("bert@example.com", map[string]any{"username": "bert"})
	token := p.token(ann)
	s := p.adopt()

	if a := s.Guest().Do("POST", "/api/collections/users/records", map[string]any{"email": "new@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password, "username": "new"}); a.Status != 403 {
		t.Errorf("a stranger signs up: %d %s", a.Status, a.Raw)
	}
	if a := s.Guest().Do("GET", "/api/collections/users/records", nil); a.Status != 403 {
		t.Errorf("a guest lists people: %d %s", a.Status, a.Raw)
	}
	for _, path := range []string{"/api/collections/users/records/" + ann, "/@ann.smith", "/api/v1/search?q=ann.smith"} {
		if a := s.Guest().Do("GET", path, nil); a.Status == 200 && strings.Contains(strings.ToLower(a.Raw), "smith") {
			t.Errorf("a guest sees a person at %s: %s", path, a.Raw)
		}
	}
	mine := clientWith(s, token)
	if a := mine.Do("POST", "/api/collections/users/auth-refresh", nil); a.Status != 200 {
		t.Errorf("a token of before: %d %s", a.Status, a.Raw)
	}
	if a := mine.Do("PATCH", "/api/collections/users/records/"+ann, map[string]any{"name": "Another"}); a.Status != 404 {
		t.Errorf("a change that the app's rule refuses: %d", a.Status)
	}
	for identity, want := range map[string]int{"Ann.Smith": 200, "ann@example.com": 400, "bert": 403} {
		if a := signIn(s, identity); a.Status != want {
			t.Errorf("signing in as %s: %d, want %d: %s", identity, a.Status, want, a.Raw)
		}
	}
	if n := s.Rows("users", "handle IN ('ann.smith', 'bert')"); n != 2 {
		t.Errorf("%d people have their username as handle, want 2", n)
	}
	if a := mine.Do("POST", "/api/collections/posts/records", &hookstest.Upload{Fields: map[string]string{"caption": "hello"}, Files: map[string][]byte{"photos": hookstest.Photo()}}); a.Status != 200 {
		t.Errorf("an adopted person posts: %d %s", a.Status, a.Raw)
	}
}

// TestAdoptingKeepsSignInWithoutPasswords has an app that signs people in by their provider alone.
func TestAdoptingKeepsSignInWithoutPasswords(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.PasswordAuth.Enabled = false })
	p.addUser("ann@example.com", map[string]any{"name": "Ann"})
	s := p.adopt()
	for _, identity := range []string{"ann@example.com", "ann"} {
		if a := signIn(s, identity); a.Status != 403 {
			t.Errorf("signing in as %s with a password: %d %s", identity, a.Status, a.Raw)
		}
	}
}

// TestAdoptingKeepsFieldsPrivate has an app with PocketBase's own rules, by which nobody sees anybody else.
func TestAdoptingKeepsFieldsPrivate(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t)
	companies := core.NewBaseCollection("companies")
	companies.Fields.Add(&core.TextField{Name: "title"})
	companies.ViewRule, companies.ListRule = types.Pointer(""), types.Pointer("")
	p.must(p.app.Save(companies))
	company := core.NewRecord(companies)
	company.Set("title", "Acme")
	p.must(p.app.Save(company))
	p.changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "phone"}, &core.NumberField{Name: "salary"}, &core.TextField{Name: "zodiac"}, &core.TextField{Name: "city"},
			&core.RelationField{Name: "company", CollectionId: companies.Id, MaxSelect: 1},
			&core.FileField{Name: "passport", Protected: true, MaxSelect: 1})
	})
	passport, err := filesystem.NewFileFromBytes([]byte("secret"), "passport.txt")
	p.must(err)
	ann := p.addUser("ann@example.com", map[string]any{"name": "ann", "phone": "555-1", "salary": 4000, "zodiac": "lion", "city": "Bonn", "company": company.Id,
		"passport": passport, "emailVisibility": true, "verified": true})
	p.addUser("bob@example.com", map[string]any{"name": "bob"})
	s := p.adopt(hooks.Adoption{Public: []string{"city"}})
	mine, post := s.As("ann"), s.As("ann").Post("hello")
	s.As("bob").Follow("ann")
	file := s.User("ann").GetString("passport")
	secrets := []string{"555-1", "4000", "lion", "ann@example.com", company.Id, "Acme", file}
	shown := func(c *hookstest.Client, path string) bool {
		t.Helper()
		raw := c.Must(200, "GET", path, nil).Raw
		if !strings.Contains(raw, ann) {
			t.Fatalf("%s: %s does not show ann: %s", c.Name, path, raw)
		}
		for _, secret := range secrets {
			if strings.Contains(raw, secret) != (c.Name == "ann") && !(c.Name == "ann" && secret == "Acme") {
				t.Errorf("%s at %s: %q is shown: %v", c.Name, path, secret, strings.Contains(raw, secret))
			}
		}
		return strings.Contains(raw, "Bonn")
	}
	for _, path := range []string{
		"/api/collections/users/records?expand=company", "/api/collections/users/records/" + ann + "?expand=company",
		"/api/collections/posts/records?expand=author.company", "/api/collections/posts/records/" + post + "?expand=author",
	} {
		for _, c := range []*hookstest.Client{s.Guest(), s.As("bob"), mine} {
			if !shown(c, path) {
				t.Errorf("%s at %s: what the owner has made public is not shown", c.Name, path)
			}
		}
	}
	shown(s.As("bob"), "/api/collections/feed/records?page=1&perPage=30&sort=-at%2C-post&skipTotal=1&expand=post.author")
	shown(mine, "/api/collections/feed/records?page=1&perPage=30&sort=-at%2C-post&skipTotal=1&expand=post.author")
	for _, c := range []*hookstest.Client{s.Guest(), s.As("bob")} {
		for _, field := range []string{"phone", "salary", "company", "company.title", "email"} {
			for _, path := range []string{"users/records?filter=" + field + "!=''", "users/records?sort=-" + field, "posts/records?filter=author." + field + "!=''", "posts/records?sort=author." + field} {
				if a := c.Do("GET", "/api/collections/"+path, nil); a.Status != 400 {
					t.Errorf("%s at %s: %d %s", c.Name, path, a.Status, a.Raw)
				}
			}
		}
		if n := len(c.List("users", "filter=city='Bonn'")); n != 1 {
			t.Errorf("%s finds %d people by a public field, want 1", c.Name, n)
		}
	}
	fileToken := func(c *hookstest.Client) string {
		token, _ := c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		return token
	}
	url := "/api/files/users/" + ann + "/" + file + "?token="
	if a := s.As("bob").Do("GET", url+fileToken(s.As("bob")), nil); a.Status != 404 {
		t.Errorf("somebody else's protected file: %d %s", a.Status, a.Raw)
	}
	if a := mine.Do("GET", url+fileToken(mine), nil); a.Status != 200 {
		t.Errorf("one's own protected file: %d %s", a.Status, a.Raw)
	}
	if got := mine.Update("users", ann, map[string]any{"phone": "555-2"}).Body["phone"]; got != "555-2" {
		t.Errorf("one's own phone after a change is %v", got)
	}
}

// TestAdoptingKeepsFieldsPrivateFromOwnersCollections reads users by way of the app's own collections. PocketBase lets a
// filter see those whom the list rule of users shows: the reader alone before, and everybody now.
func TestAdoptingKeepsFieldsPrivateFromOwnersCollections(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.NumberField{Name: "salary"}, &core.TextField{Name: "city"})
	})
	ann := p.addUser("ann@example.com", map[string]any{"name": "ann", "salary": 4000, "city": "Bonn"})
	p.addUser("bob@example.com", map[string]any{"name": "bob"})
	last, id := "users", ann
	for _, name := range []string{"articles", "reviews"} { // a review is of an article
		to, err := p.app.FindCollectionByNameOrId(last)
		p.must(err)
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.RelationField{Name: map[string]string{"users": "author", "articles": "article"}[last], CollectionId: to.Id, MaxSelect: 1})
		c.ListRule, c.ViewRule = types.Pointer(""), types.Pointer("")
		p.must(p.app.Save(c))
		record := core.NewRecord(c)
		record.Set(c.Fields[1].GetName(), id)
		p.must(p.app.Save(record))
		last, id = name, record.Id
	}
	view := core.NewViewCollection("bylines")
	view.ViewQuery, view.ListRule = "SELECT id, author FROM articles", types.Pointer("")
	p.must(p.app.Save(view))
	s := p.adopt(hooks.Adoption{Public: []string{"city"}})
	for _, c := range []*hookstest.Client{s.Guest(), s.As("bob"), s.As("ann")} {
		for collection, path := range map[string]string{"articles": "author", "reviews": "article.author", "bylines": "author"} {
			for _, query := range []string{"filter=" + path + ".salary>0", "filter=0<" + path + ".salary:each", "filter=" + path + ".email!=''", "sort=" + path + ".salary", "sort=-" + path + ".salary", "filter=(id!=''%26%26" + path + ".salary>0)"} {
				if a := c.Do("GET", "/api/collections/"+collection+"/records?"+query, nil); a.Status != 400 {
					t.Errorf("%s at %s?%s: %d %s", c.Name, collection, query, a.Status, a.Raw)
				}
			}
			if n := len(c.List(collection, "sort="+path+".city&filter="+path+".city='Bonn'")); n != 1 {
				t.Errorf("%s finds %d %s by a public field, want 1", c.Name, n, collection)
			}
		}
	}
}

// TestAdoptingKeepsRenamedFieldsPrivate renames a private field in the dashboard, while the app runs.
func TestAdoptingKeepsRenamedFieldsPrivate(t *testing.T) {
	testenv.SkipSequential(t)
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "phone"}, &core.FileField{Name: "passport", Protected: true, MaxSelect: 1})
	})
	passport, err := filesystem.NewFileFromBytes([]byte("secret"), "passport.txt")
	p.must(err)
	ann := p.addUser("ann@example.com", map[string]any{"name": "ann", "phone": "555-1", "passport": passport})
	p.addUser("bob@example.com", map[string]any{"name": "bob"})
	s := p.adopt()
	post := s.As("ann").Post("hello")
	check := func(when, phone, document string) {
		t.Helper()
		for _, c := range []*hookstest.Client{s.Guest(), s.As("bob")} {
			for _, path := range []string{"users/records/" + ann, "users/records?sort=-id", "posts/records/" + post + "?expand=author", "posts/records?expand=author"} {
				if raw := c.Must(200, "GET", "/api/collections/"+path, nil).Raw; !strings.Contains(raw, ann) || strings.Contains(raw, "555-1") || strings.Contains(raw, "passport_") {
					t.Errorf("%s: %s at %s: %s", when, c.Name, path, raw)
				}
			}
			if a := c.Do("GET", "/api/collections/users/records?filter="+phone+"!=''", nil); a.Status != 400 {
				t.Errorf("%s: %s filters by %s: %d %s", when, c.Name, phone, a.Status, a.Raw)
			}
		}
		if got := s.As("ann").Must(200, "GET", "/api/collections/users/records/"+ann, nil).Body[phone]; got != "555-1" {
			t.Errorf("%s: ann's own phone is %v", when, got)
		}
		token, _ := s.As("bob").Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		if a := s.Guest().Do("GET", "/api/files/users/"+ann+"/"+s.User("ann").GetString(document)+"?token="+token, nil); a.Status != 404 {
			t.Errorf("%s: somebody else's file: %d", when, a.Status)
		}
	}
	check("before", "phone", "passport")
	users, err := s.App.FindCollectionByNameOrId("users")
	p.must(err)
	users.Fields.GetByName("phone").SetName("mobile")
	users.Fields.GetByName("passport").SetName("document")
	p.must(s.App.Save(users))
	check("renamed", "mobile", "document")
}
