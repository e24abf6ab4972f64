package hooks_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
)

// endTxAfter ends the transactions of requests after longest, and returns a channel of the labels of the goroutines
// that report one.
func endTxAfter(s *hookstest.Service, longest time.Duration) (labels chan string) {
	labels = make(chan string, 100)
	limits := db.WriterLimits(s.App)
	report := limits.OnTooLong
	limits.EndAfter = longest
	limits.OnTooLong = func(held time.Duration, ended bool) {
		report(held, ended)
		var stack [1024]byte
		head, _, _ := strings.Cut(string(stack[:runtime.Stack(stack[:], false)]), "\n")
		if ended {
			head += " ended"
		}
		labels <- head
	}
	db.LimitWriter(s.App, limits)
	return labels
}

// bothPaths runs a test with and without the fast path.
func bothPaths(t *testing.T, test func(t *testing.T)) {
	for _, path := range []string{"on", "off"} {
		t.Run("fast path "+path, func(t *testing.T) {
			t.Setenv("DOUBLETAP_FASTPATH", path)
			test(t)
		})
	}
}

func TestAnOwnersHookThatBlocksIsEndedAndOthersGoOn(t *testing.T) {
	hang := func(leave chan struct{}, who *core.Record) {
		if who.GetString("handle") == "mallory" {
			<-leave
		}
	}
	for name, c := range map[string]struct {
		bind  func(social *hooks.Social, leave chan struct{})
		does  func(s *hookstest.Service, post string) hookstest.Answer
		route string
	}{
		"OnLike": {
			func(social *hooks.Social, leave chan struct{}) {
				social.OnLike().BindFunc(func(e *hooks.LikeEvent) error { hang(leave, e.User); return e.Next() })
			},
			func(s *hookstest.Service, post string) hookstest.Answer {
				return s.As("mallory").Do("POST", "/api/collections/likes/records", jsonObject{"post": post})
			},
			"POST /api/collections/likes/records",
		},
		"OnLike after the like": {
			func(social *hooks.Social, leave chan struct{}) {
				social.OnLike().BindFunc(func(e *hooks.LikeEvent) error { err := e.Next(); hang(leave, e.User); return err })
			},
			func(s *hookstest.Service, post string) hookstest.Answer {
				return s.As("mallory").Do("POST", "/api/collections/likes/records?fields=id", jsonObject{"post": post})
			},
			"POST /api/collections/likes/records",
		},
		"OnComment in a batch": {
			func(social *hooks.Social, leave chan struct{}) {
				social.OnComment().BindFunc(func(e *hooks.CommentEvent) error { hang(leave, e.Author); return e.Next() })
			},
			func(s *hookstest.Service, post string) hookstest.Answer {
				return sendBatch(s.As("mallory"), batchItem("POST", "/api/collections/comments/records", jsonObject{"post": post, "text": "x"}))
			},
			"POST /api/batch",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothPaths(t, func(t *testing.T) {
				leave := make(chan struct{})
				s := hookstest.New(t, func(_ core.App, social *hooks.Social) { c.bind(social, leave) })
				post := s.As("ada").Post("hello")
				told := endTxAfter(s, 100*time.Millisecond)
				answered := make(chan hookstest.Answer, 1)
				go func() { answered <- c.does(s, post) }()
				for head := ""; !strings.HasSuffix(head, "ended"); {
					head = <-told
					if strings.HasSuffix(head, "ended") && !strings.Contains(head, `request: "`+c.route+`"`) && !strings.Contains(head, `request: "likes and marks"`) {
						t.Errorf("ended: %s, want the route %s", head, c.route)
					}
				}
				limits := db.WriterLimits(s.App)
				limits.EndAfter = time.Minute // for those who do nothing wrong, on a slow machine
				db.LimitWriter(s.App, limits)
				var others sync.WaitGroup
				for _, name := range []string{"bob", "carol", "dave"} {
					others.Go(func() {
						s.As(name).Like(post)
						s.As(name).Comment(post, "", "nice")
					})
				}
				others.Wait() // while mallory's hook still blocks
				select {
				case a := <-answered:
					if name != "OnLike" { // on the fast path her request need not wait for the hook
						t.Errorf("she is answered before her hook returns: %d", a.Status)
					}
					answered <- a
				default:
				}
				close(leave)
				if a := <-answered; a.Status != 503 || a.Header.Get("Retry-After") == "" || a.Body["message"] == "" {
					t.Errorf("she is answered %d %s", a.Status, a.Raw)
				}
				if likes, comments := s.Rows("likes", "true"), s.Rows("comments", "true"); likes != 3 || comments != 3 {
					t.Errorf("%d likes and %d comments, want the others' 3 and 3", likes, comments)
				}
				if p := s.Record("posts", post); p.GetInt("likesCount") != 3 || p.GetInt("commentsCount") != 3 {
					t.Errorf("counted: %d likes and %d comments", p.GetInt("likesCount"), p.GetInt("commentsCount"))
				}
			})
		})
	}
}

func TestWhoIsEndedAndWhoIsOnlyToldOff(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	hold := func(app core.App) error {
		return app.RunInTransaction(func(core.App) error {
			entered <- struct{}{}
			<-leave
			return nil
		})
	}
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			for _, method := range []string{"POST", "DELETE"} {
				e.Router.Route(method, "/hold/{collection}", func(e *core.RequestEvent) error {
					if err := hold(e.App); err != nil {
						return err
					}
					return e.NoContent(204)
				})
			}
			return e.Next()
		})
	})
	s.App.Settings().Logs.MaxDays = 5 // the kit's folders keep none
	told := endTxAfter(s, time.Millisecond)
	request := func(c *hookstest.Client, method string) func() bool {
		return func() bool { return c.Do(method, "/hold/likes?token=secret", nil).Status == 204 }
	}
	for name, c := range map[string]struct {
		does  func() bool // and reports whether it was stored
		label string
		ended bool
	}{
		"a user":      {request(s.As("ada"), "POST"), `request: "POST /hold/likes"`, true},
		"a guest":     {request(s.Guest(), "POST"), `request: "POST /hold/likes"`, true},
		"a deletion":  {request(s.As("ada"), "DELETE"), `request: "DELETE /hold/likes"`, true},
		"a superuser": {request(s.Admin(), "POST"), `superuser: "POST /hold/likes"`, false},
		"the service": {func() bool { return hold(s.App) == nil }, "[running]:", false},
	} {
		t.Run(name, func(t *testing.T) {
			stored := make(chan bool)
			go func() { stored <- c.does() }()
			<-entered
			head := <-told // while it goes on
			for !strings.Contains(head, c.label) {
				head = <-told // another one, when it was over
			}
			if ended := strings.HasSuffix(head, "ended"); ended != c.ended || strings.Contains(head, "secret") {
				t.Errorf("told %s, want %s, ended %v", head, c.label, c.ended)
			}
			leave <- struct{}{}
			if stored := <-stored; stored == c.ended {
				t.Errorf("stored: %v", stored)
			}
		})
	}
	var lines []string
	if err := s.App.Logger().Handler().(*logger.BatchHandler).WriteAll(context.WithValue(t.Context(), logger.BlockKey, true)); err != nil {
		t.Fatal(err)
	}
	err := s.App.AuxDB().NewQuery(`SELECT DISTINCT json_extract(data, '$.kind') || ' ' || json_extract(data, '$.who') || ' ' || json_extract(data, '$.ended')
		FROM _logs WHERE message = 'a transaction held the writer too long' AND json_extract(data, '$.ms') >= 1 ORDER BY 1`).Column(&lines)
	want := "request DELETE /hold/likes 1, request POST /hold/likes 1, superuser POST /hold/likes 0"
	if got := strings.Trim(strings.Join(lines, ", "), " 0,"); err != nil || !strings.Contains(got+" 0", want) {
		t.Errorf("logged: %s, want %s (%v)", got, want, err)
	}
}
