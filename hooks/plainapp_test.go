package hooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
)

// plainApp is a data folder of a PocketBase without Doubletap.
type plainApp struct {
	t   *testing.T
	dir string
	app core.App
}

// newPlainApp returns a fresh PocketBase, before anybody has changed it.
func newPlainApp(t *testing.T) *plainApp {
	t.Helper()
	p := &plainApp{t: t, dir: t.TempDir()}
	p.app = core.NewBaseApp(core.BaseAppConfig{DataDir: p.dir})
	p.must(p.app.Bootstrap())
	p.app.Settings().Logs.MaxDays = 0
	p.must(p.app.RunSystemMigrations())
	p.must(p.app.ReloadCachedCollections())
	t.Cleanup(p.close)
	return p
}

func (p *plainApp) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *plainApp) close() {
	if p.app != nil {
		p.must(p.app.ClearBootstrap())
	}
	p.app = nil
}

// changeUsers changes the users collection as its owner would in the dashboard.
func (p *plainApp) changeUsers(change func(users *core.Collection)) *plainApp {
	p.t.Helper()
	users, err := p.app.FindCollectionByNameOrId("users")
	p.must(err)
	change(users)
	p.must(p.app.Save(users))
	return p
}

// addUser stores a user with the password of the cast and returns the id.
func (p *plainApp) addUser(email string, values map[string]any) string {
	p.t.Helper()
	users, err := p.app.FindCollectionByNameOrId("users")
	p.must(err)
	user := core.NewRecord(users)
	user.SetEmail(email)
	user.SetPassword(hookstest.Password)
	for name, value := range values {
		user.Set(name, value)
	}
	p.must(p.app.Save(user))
	return user.Id
}

// token returns a token of a user, as the plain app gives it.
func (p *plainApp) token(id string) string {
	p.t.Helper()
	user, err := p.app.FindRecordById("users", id)
	p.must(err)
	token, err := user.NewAuthToken()
	p.must(err)
	return token
}

// adopt opens the folder with Doubletap.
func (p *plainApp) adopt(decisions ...hooks.Adoption) *hookstest.Service {
	p.t.Helper()
	p.close()
	return hookstest.Open(p.t, p.dir, func(_ core.App, social *hooks.Social) {
		for _, a := range decisions {
			social.Adopt(a)
		}
	})
}

// refusal tries to adopt the folder and returns the error, having checked that the folder is as it was.
func (p *plainApp) refusal(decisions ...hooks.Adoption) string {
	p.t.Helper()
	p.close()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: p.dir})
	social := hooks.Bind(app)
	for _, a := range decisions {
		social.Adopt(a)
	}
	p.must(app.Bootstrap())
	defer func() { p.must(app.ClearBootstrap()) }()
	before := everythingIn(p.t, app)
	err := app.RunAllMigrations()
	if err == nil {
		p.t.Fatal("the app was adopted, want a refusal")
	}
	if after := everythingIn(p.t, app); after != before {
		p.t.Error("the refusal changed the folder")
	}
	if strings.Contains(err.Error(), "\n") {
		p.t.Errorf("the refusal has several lines: %v", err)
	}
	return err.Error()
}

// everythingIn returns the schema, the collections, the settings and the users of an app.
func everythingIn(t *testing.T, app core.App) string {
	t.Helper()
	var all strings.Builder
	for _, query := range []string{
		`SELECT coalesce(sql, '') FROM sqlite_master ORDER BY name`,
		`SELECT concat_ws(' ', name, listRule, viewRule, createRule, updateRule, deleteRule, fields, indexes, options) FROM _collections ORDER BY id`,
		`SELECT concat_ws(' ', id, value) FROM _params ORDER BY id`,
	} {
		var rows []string
		if err := app.DB().NewQuery(query).Column(&rows); err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(rows, "\n"))
	}
	users, err := app.FindAllRecords("users")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		fmt.Fprintln(&all, user.FieldsData())
	}
	return all.String()
}

// client returns somebody with a token of before.
func clientWith(s *hookstest.Service, token string) *hookstest.Client {
	c := s.Guest()
	c.Token = token
	return c
}

func signIn(s *hookstest.Service, identity string) hookstest.Answer {
	return s.Guest().Do("POST", "/api/collections/users/auth-with-password", map[string]any{"identity": identity, "password": hookstest.Password})
}
