package hooks_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// Each of these queries would never end by itself; that it is answered is the proof.
func TestStatementsOfClientsAreInterrupted(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	public := ""
	view := core.NewViewCollection("endless")
	view.ListRule, view.ViewRule = &public, &public
	view.ViewQuery = "SELECT id, caption FROM posts"
	if err := s.App.Save(view); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"DROP VIEW endless", `CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
		SELECT CAST(i AS TEXT) AS id, '' AS caption FROM n`} {
		if _, err := s.App.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for _, path := range []string{
		"endless/records", // the count
		"endless/records?skipTotal=1&filter=" + escapeQuery("id = 'x'"), // no row at all
		"endless/records?skipTotal=1&filter=" + escapeQuery("id = '1'"), // one at once, and then none
		"endless/records?skipTotal=1&sort=-caption",                     // all before the first
		"endless/records/x",
	} {
		all.Go(func() {
			a := s.Guest().Do("GET", "/api/collections/"+path, nil)
			_, shaped := a.Body["data"].(map[string]any)
			if a.Status != 503 || !shaped || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Raw, "takes too long") {
				t.Errorf("%s: answered %d %s", path, a.Status, a.Raw)
			}
		})
	}
	all.Wait()
	s.As("ada").Post("the service goes on")
}

// TestOnlyClientsAreHurried checks who reads with a deadline: only code that has the app of a client's request, so no
// job and no migration.
func TestOnlyClientsAreHurried(t *testing.T) {
	t.Parallel()
	bounded := map[string]bool{}
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/owners/look", func(e *core.RequestEvent) error {
				who := "guest"
				if e.Auth != nil {
					who = e.Auth.Collection().Name
				}
				hurried := func(app core.App) bool { return strings.HasSuffix(fmt.Sprintf("%T", app), ".clientApp") }
				bounded[who] = hurried(e.App)
				return e.App.RunInTransaction(func(tx core.App) error {
					bounded[who+" in a transaction"] = hurried(tx)
					return nil
				})
			})
			return e.Next()
		})
	})
	for _, c := range []*hookstest.Client{s.Guest(), s.As("ada"), s.Admin()} {
		c.Do("GET", "/owners/look", nil)
	}
	for who, want := range map[string]bool{
		"guest": true, "guest in a transaction": true, "users": true, "users in a transaction": true, "_superusers": false, "_superusers in a transaction": false,
	} {
		if got, looked := bounded[who]; !looked || got != want {
			t.Errorf("%s reads with a deadline: %v, want %v", who, got, want)
		}
	}
}

// What a handler leaves to the background, as PocketBase's own do with mails, reads without the request's limits.
func TestWhatGoesOnAfterARequestReads(t *testing.T) {
	t.Parallel()
	ended, read := make(chan struct{}), make(chan error)
	var ada string
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.BindFunc(func(e *core.RequestEvent) error {
				err := e.Next()
				if e.Request.URL.Path == "/owners/later" {
					close(ended)
				}
				return err
			})
			later := func(e *core.RequestEvent) error {
				app, request := e.App, e.Request.Context()
				go func() {
					<-ended
					if e.Request.Method == "GET" {
						<-request.Done()
					}
					_, err := app.FindRecordById("users", ada)
					for range 17 {
						var row struct {
							Text string `db:"text"`
						}
						if err == nil {
							err = app.RecordQuery("users").Select("printf('%.*c', 1048576, 'x') AS text").Limit(1).One(&row)
						}
					}
					read <- err
				}()
				return e.NoContent(204)
			}
			e.Router.GET("/owners/later", later)
			e.Router.POST("/owners/later", later)
			return e.Next()
		})
	})
	ada = s.As("ada").ID
	for _, method := range []string{"GET", "POST"} {
		ended = make(chan struct{})
		s.Guest().Must(204, method, "/owners/later", nil)
		if err := <-read; err != nil {
			t.Errorf("after %s: %v", method, err)
		}
	}
}

// TestReadsEndWhenTheirClientLeaves runs our own statements, which would never end by themselves. However the error is
// passed on, the log does not call it a fault of the service.
func TestReadsEndWhenTheirClientLeaves(t *testing.T) {
	t.Parallel()
	began, ended, status := make(chan struct{}), make(chan error), make(chan int)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: -1, Func: func(e *core.RequestEvent) error { // as the log sees it
				err := e.Next()
				if strings.HasPrefix(e.Request.URL.Path, "/owners/endless") {
					status <- router.ToApiError(err).Status
				}
				return err
			}})
			for name, answer := range map[string]func(error) error{
				"as-it-is":      func(err error) error { return err },
				"for-clients":   fault.ForClient,
				"not-there":     func(err error) error { return router.NewNotFoundError("", err) },
				"their-mistake": func(err error) error { return router.NewBadRequestError("", fmt.Errorf("read: %w", err)) },
			} {
				e.Router.GET("/owners/endless/"+name, func(e *core.RequestEvent) error {
					began <- struct{}{}
					var n int
					_, err := db.QueryValue(e.App, &n, `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers WHERE n < 0`, nil)
					ended <- err
					return answer(err)
				})
			}
			e.Router.POST("/owners/goes-on", func(e *core.RequestEvent) error {
				began <- struct{}{}
				<-e.Request.Context().Done()
				var n int
				_, err := db.QueryValue(e.App, &n, `SELECT count(*) FROM posts`, nil)
				ended <- err
				return err
			})
			return e.Next()
		})
	})
	for _, c := range []*hookstest.Client{s.Guest(), s.As("ada"), s.Admin()} {
		for _, asked := range []struct {
			method, path string
			ends         bool
		}{
			{"GET", "/owners/endless/as-it-is", true}, {"GET", "/owners/endless/for-clients", true}, {"GET", "/owners/endless/not-there", true},
			{"GET", "/owners/endless/their-mistake", true}, {"POST", "/owners/goes-on", false},
		} {
			ctx, leave := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, asked.method, s.URL+asked.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", c.Token)
			var asking sync.WaitGroup
			asking.Go(func() {
				if response, err := http.DefaultClient.Do(request); err == nil {
					response.Body.Close()
					t.Errorf("%s %s: answered %d", asked.method, asked.path, response.StatusCode)
				}
			})
			<-began
			leave()
			if err := <-ended; (err != nil) != asked.ends {
				t.Errorf("%s %s as %s: ended with %v", asked.method, asked.path, c.Name, err)
			}
			if asked.ends {
				if logged := <-status; logged != 499 {
					t.Errorf("%s %s as %s: the log says %d, want 499", asked.method, asked.path, c.Name, logged)
				}
			}
			asking.Wait()
		}
	}
}
