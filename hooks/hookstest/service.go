// Package hookstest is Doubletap for tests: a migrated service with a cast that everybody knows, on a real port, with
// a clock that can be moved and jobs that run when the test says so.
//
//	s := hookstest.New(t)
//	post := s.As("ada").Post("hello")
//	s.As("bob").Like(post)
//	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
package hookstest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
	"golang.org/x/crypto/bcrypt"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// Cast are the handles of the users that every service has. Nobody follows anybody, and all accounts are public.
var Cast = []string{"ada", "bob", "carol", "dave", "eve", "mallory"}

// Password is the password of all of the cast, and of the superuser, admin@example.com.
const Password = "correct horse"

// Service is a running Doubletap.
type Service struct {
	App    core.App
	Social *hooks.Social
	URL    string

	t     testing.TB
	mails mailbox
}

// New starts a service with the cast on a loopback port and ends it with the test. It has no limits unless the test has
// set DOUBLETAP_LIMITS, say to "on". Each of owners binds to it before
// it serves, as a main does.
func New(t testing.TB, owners ...func(app core.App, social *hooks.Social)) *Service {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, templateDir(t)); err != nil {
		t.Fatal("copy the template:", err)
	}
	return Open(t, dir, owners...)
}

// Open is New on an existing data folder.
func Open(t testing.TB, dir string, owners ...func(app core.App, social *hooks.Social)) *Service {
	t.Helper()
	if _, chosen := os.LookupEnv(limit.EnvVariable); !chosen { // a test may ask more often than people do
		if err := os.Setenv(limit.EnvVariable, "off"); err != nil {
			t.Fatal("take the limits away:", err)
		}
	}
	s := &Service{t: t}
	s.App, s.Social = newBoundApp(dir, owners...)
	s.mails.bindMailer(s.App)
	if err := s.App.Bootstrap(); err != nil {
		t.Fatal("bootstrap:", err)
	}
	if err := s.App.RunAllMigrations(); err != nil {
		t.Fatal("migrate:", err)
	}
	if _, err := s.App.NonconcurrentDB().NewQuery("PRAGMA synchronous = OFF").Execute(); err != nil { // no test cuts this process's power
		t.Fatal("leave out the waits for the disk:", err)
	}

	if err := s.Social.StopJobs(context.Background()); err != nil { // before they begin: RunJobs runs them, when the test says so
		t.Fatal("stop jobs:", err)
	}
	routes, err := apis.NewRouter(s.App)
	if err != nil {
		t.Fatal("make the router:", err)
	}
	event := &core.ServeEvent{App: s.App, Router: routes, Server: &http.Server{}} // #nosec G112 -- httptest's server is what listens
	routes.BindFunc(s.logCause, answerAtOnce)
	err = s.App.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		mux, err := e.Router.BuildMux()
		e.Server.Handler = mux
		return err
	})
	if err != nil {
		t.Fatal("serve:", err)
	}
	limits := db.WriterLimits(s.App)
	limits.EndAfter = waitTimeout // tests share their machine with others
	db.LimitWriter(s.App, limits)
	db.SetPace(s.App, db.Pace{Time: waitTimeout, Rows: 400}) // rows are counted, time is not
	reconcile.SetRest(s.App, 0)                              // nobody else needs the machine meanwhile
	server := httptest.NewServer(event.Server.Handler)
	s.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		e := &core.TerminateEvent{App: s.App}
		if err := s.App.OnTerminate().Trigger(e, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() }); err != nil {
			t.Error("terminate:", err)
		}
	})
	return s
}

// logCause logs to the test why the service answered with a 5xx.
func (s *Service) logCause(e *core.RequestEvent) error {
	err := e.Next()
	if api, ok := errors.AsType[*router.ApiError](err); ok && api.Status >= 500 {
		s.t.Logf("%s %s: %v", e.Request.Method, e.Request.URL, api.RawData())
	}
	return err
}

// answerAtOnce spares tests PocketBase's pause, half a second at most, before it answers the fourth list within three seconds in which a
// filter finds nothing, by forgetting those before.
func answerAtOnce(e *core.RequestEvent) error {
	if limiters, ok := e.App.Store().Get("__pbRateLimiters__").(interface{ Remove(string) }); ok && e.Request.URL.Query().Has("filter") {
		if c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection")); err == nil {
			limiters.Remove("@pb_list_timing_check_" + c.Id)
		}
	}
	return e.Next()
}

func newBoundApp(dir string, owners ...func(core.App, *hooks.Social)) (core.App, *hooks.Social) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "doubletap_test_env", DBConnect: hooks.Config().DBConnect})
	var reload sync.Mutex // PocketBase's own handlers read the settings without a lock while a second reload writes them
	app.OnSettingsReload().Bind(&hook.Handler[*core.SettingsReloadEvent]{Priority: math.MinInt, Func: func(e *core.SettingsReloadEvent) error {
		reload.Lock()
		defer reload.Unlock()
		err := e.Next()
		e.App.Settings().Logs.MaxDays = 0 // logs are written by a goroutine of their own, perhaps after the test
		return err
	}})
	social := hooks.Bind(app)
	for _, owner := range owners {
		owner(app, social)
	}
	return app, social
}

// templateDir is the data folder that every service of this process starts from.
func templateDir(t testing.TB) fs.FS {
	t.Helper()
	sharedTemplate.Do(func() { sharedTemplate.files, sharedTemplate.err = makeTemplate(t) })
	if sharedTemplate.err != nil {
		t.Fatal("make the template:", sharedTemplate.err)
	}
	return sharedTemplate.files
}

var sharedTemplate struct {
	sync.Once
	files fs.FS
	err   error
}

func makeTemplate(t testing.TB) (fs.FS, error) {
	dir := dbtest.MigratedFolder(t)
	app, _ := newBoundApp(dir)
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	if err := hashFast(app); err != nil {
		return nil, err
	}
	password, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost) // which is compared fast, too
	if err != nil {
		return nil, err
	}
	for _, name := range append(Cast, "") {
		collection, email := "users", name+"@example.com"
		if name == "" {
			collection, email = core.CollectionNameSuperusers, "admin@example.com"
		}
		c, err := app.FindCollectionByNameOrId(collection)
		if err != nil {
			return nil, err
		}
		record := core.NewRecord(c)
		record.SetEmail(email)
		record.SetRaw(core.FieldNamePassword, &core.PasswordFieldValue{Hash: string(password)})
		record.SetVerified(true)
		record.Set("handle", name)
		record.Set("name", name)
		if err := app.Save(record); err != nil {
			return nil, err
		}
	}
	if err := app.ClearBootstrap(); err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(os.DirFS(dir), "data.db") // the other file has logs only
	return fstest.MapFS{"data.db": {Data: data}}, err
}

// hashFast stores the least cost of bcrypt in every collection with passwords: a sixth of what the tests of package hooks
// took was hashing.
func hashFast(app core.App) error {
	collections, err := app.FindAllCollections()
	if err != nil {
		return err
	}
	for _, c := range collections {
		if password, ok := c.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField); ok {
			password.Cost = bcrypt.MinCost
			if err := app.Save(c); err != nil {
				return fmt.Errorf("let %s hash fast: %w", c.Name, err)
			}
		}
	}
	return nil
}

// Advance moves the service's clock by d. It does not move the machine's.
func (s *Service) Advance(d time.Duration) { clock.Advance(s.App, d) }

// RunJobs runs every job that is due, and those that they add, and returns when none is left. It logs the jobs that
// failed.
func (s *Service) RunJobs() {
	s.t.Helper()
	if _, err := s.Social.DrainJobs(context.Background()); err != nil {
		s.t.Fatal("run jobs:", err)
	}
	var failed []string
	if err := s.App.DB().NewQuery("SELECT kind || ': ' || error FROM jobs WHERE error != ''").Column(&failed); err == nil {
		for _, line := range failed {
			s.t.Log("a job failed, to be tried again: ", line)
		}
	}
}

// User returns the record of one of the cast, fresh from the database. The test ends if there is no such user.
func (s *Service) User(name string) *core.Record {
	s.t.Helper()
	user, err := s.App.FindFirstRecordByData("users", "handle", name)
	if err != nil {
		s.t.Fatalf("find %s: %v", name, err)
	}
	return user
}

// Record returns a record fresh from the database, or nil if there is none.
func (s *Service) Record(collection, id string) *core.Record {
	record, _ := s.App.FindRecordById(collection, id)
	return record
}

// Rows returns how many rows of a collection meet a condition in SQL.
func (s *Service) Rows(collection, condition string, params ...map[string]any) int {
	s.t.Helper()
	query := s.App.DB().NewQuery("SELECT count(*) FROM " + collection + " WHERE " + condition)
	for _, p := range params {
		query.Bind(p)
	}
	var n int
	if err := query.Row(&n); err != nil {
		s.t.Fatalf("count %s: %v", collection, err)
	}
	return n
}
