package hooks_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("vetoes a like", func(t *testing.T) {
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
				if e.Owner.GetString("name") == "ada" && e.User.GetString("name") == "bob" {
					return apis.NewForbiddenError("Not you.", nil)
				}
				return e.Next()
			})
		})
		post := s.As("ada").Post("hello")
		if a := s.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post}); a.Status != 403 || a.Body["message"] != "Not you." {
			t.Errorf("bob is answered %d %s", a.Status, a.Raw)
		}
		expectNothingStored(t, s, post)
		s.As("carol").Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("whose hook fails leaves nothing behind", func(t *testing.T) {
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
				if err := e.Next(); err != nil { // by now the like and its notification are stored
					return err
				}
				return errors.New("disk on fire: /secret/path")
			})
		})
		post := s.As("ada").Post("hello")
		a := s.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
		if a.Status != 500 || strings.Contains(a.Raw, "fire") {
			t.Errorf("bob is answered %d %s, want a bland 500", a.Status, a.Raw)
		}
		expectNothingStored(t, s, post)
	})
	t.Run("whose hook panics leaves nothing behind and the service alive", func(t *testing.T) {
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
				_ = e.Next()
				panic("oh no")
			})
		})
		post := s.As("ada").Post("hello")
		if a := s.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post}); a.Status != 500 {
			t.Errorf("bob is answered %d, want 500", a.Status)
		}
		expectNothingStored(t, s, post)
	})
	t.Run("whose hook after the commit panics does not undo the like", func(t *testing.T) {
		s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
			app.OnRecordAfterCreateSuccess("likes").BindFunc(func(*core.RecordEvent) error { panic("oh no") })
		})
		post := s.As("ada").Post("hello")
		s.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("alters and drops notifications", func(t *testing.T) {
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnNotify("like").BindFunc(func(e *hooks.NotifyEvent) error {
				if e.Actor.GetString("name") == "bob" {
					return nil // dropped
				}
				if e.Actor.GetString("name") == "carol" {
					e.List = false
				}
				return e.Next()
			})
		})
		post := s.As("ada").Post("hello")
		for _, name := range []string{"bob", "carol"} {
			s.As(name).Like(post)
			s.ExpectTray("ada")
		}
		s.As("bob").Comment(post, "", "another type")
		s.As("dave").Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "comment", Actors: 1})
	})
	t.Run("hears of what was notified, again after an error", func(t *testing.T) {
		var calls atomic.Int32
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnNotified("like").BindFunc(func(e *hooks.NotifiedEvent) error {
				if e.Recipient.GetString("name") != "ada" || e.Actor.GetString("name") != "bob" || e.Notification.GetInt("actorsCount") != 1 {
					t.Error("the event is wrong")
				}
				if calls.Add(1) == 1 {
					panic("the first time")
				}
				return e.Next()
			})
		})
		s.As("bob").Like(s.As("ada").Post("hello"))
		s.RunJobs()
		if calls.Load() != 1 {
			t.Fatalf("%d calls, want 1", calls.Load())
		}
		s.Advance(1e12)
		s.RunJobs()
		if calls.Load() != 2 {
			t.Errorf("%d calls, want 2", calls.Load())
		}
		if n := s.Rows("jobs", "1"); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
	t.Run("hears of everything in its transaction", func(t *testing.T) {
		var heard []string
		note := func(app core.App, what string) {
			if !app.IsTransactional() {
				t.Errorf("%s is not in a transaction", what)
			}
			heard = append(heard, what)
		}
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnSignup().BindFunc(func(e *hooks.AccountEvent) error { note(e.App, "signup"); return e.Next() })
			social.OnPost().BindFunc(func(e *hooks.PostEvent) error { note(e.App, "post "+e.Author.GetString("name")); return e.Next() })
			social.OnLike().BindFunc(func(e *hooks.LikeEvent) error { note(e.App, "like"); return e.Next() })
			social.OnUnlike().BindFunc(func(e *hooks.LikeEvent) error { note(e.App, "unlike"); return e.Next() })
			social.OnComment().BindFunc(func(e *hooks.CommentEvent) error {
				note(e.App, "comment "+e.Author.GetString("name"))
				return e.Next()
			})
			social.OnFollow().BindFunc(func(e *hooks.FollowEvent) error {
				note(e.App, "follow "+e.Followee.GetString("name"))
				return e.Next()
			})
			social.OnUnfollow().BindFunc(func(e *hooks.FollowEvent) error {
				note(e.App, "unfollow "+e.Follower.GetString("name"))
				return e.Next()
			})
			social.OnBlock().BindFunc(func(e *hooks.BlockEvent) error {
				note(e.App, "block "+e.Blocked.GetString("name"))
				return e.Next()
			})
			social.OnReport().BindFunc(func(e *hooks.ReportEvent) error { note(e.App, "report"); return e.Next() })
			social.OnErase().BindFunc(func(e *hooks.AccountEvent) error {
				note(e.App, "erase "+e.User.GetString("name"))
				return e.Next()
			})
		})
		heard = nil // the kit creates the cast
		signUpUser(s.Guest(), "zoe", nil)
		post := s.As("ada").Post("hello")
		bob := s.As("bob")
		like := bob.Like(post)
		bob.Like(post)
		bob.Delete("likes", like)
		bob.Comment(post, "", "x")
		bob.Follow("ada")
		bob.Create("reports", map[string]any{"post": post, "reason": "spam"})
		s.As("ada").Block("bob")
		bob.Delete("users", bob.ID)
		s.RunJobs()
		want := "signup, post ada, like, unlike, comment bob, follow ada, report, block bob, unfollow bob, erase bob"
		if got := strings.Join(heard, ", "); got != want {
			t.Errorf("heard %s\nwant  %s", got, want)
		}
	})
	t.Run("vetoes an account's end", func(t *testing.T) {
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnErase().BindFunc(func(*hooks.AccountEvent) error { return apis.NewBadRequestError("You have an open order.", nil) })
		})
		ada := s.As("ada")
		ada.Must(400, "DELETE", "/api/collections/users/records/"+ada.ID, nil)
		ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
	})
}

// expectNothingStored fails if a like of the post, its count or a notification is stored.
func expectNothingStored(t *testing.T, s *hookstest.Service, post string) {
	t.Helper()
	s.RunJobs() // the post's photo has a job
	if n := s.Rows("likes", "1") + s.Rows("notifications", "1") + s.Rows("notification_events", "1") + s.Rows("jobs", "1"); n != 0 {
		t.Errorf("%d rows are left behind", n)
	}
	if n := s.Record("posts", post).GetInt("likesCount"); n != 0 {
		t.Errorf("likesCount is %d", n)
	}
	s.ExpectTray("ada")
}

func TestBatch(t *testing.T) {
	t.Parallel()
	batch := func(c *hookstest.Client, requests ...map[string]any) hookstest.Answer {
		return c.Do("POST", "/api/batch", map[string]any{"requests": requests})
	}
	like := func(post string) map[string]any {
		return map[string]any{"method": "POST", "url": "/api/collections/likes/records", "body": map[string]any{"post": post}}
	}
	t.Run("stores all or nothing", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		one, two := ada.Post("one"), ada.Post("two")
		if a := batch(bob, like(one), like("missing00000000")); a.Status != 400 {
			t.Errorf("a batch with a refused like: %d", a.Status)
		}
		expectNothingStored(t, s, one)
		if a := batch(bob, like(one), like(two), like(one)); a.Status != 200 || strings.Count(a.Raw, `"status":200`) != 3 {
			t.Errorf("a batch: %d %s", a.Status, a.Raw)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("a stored like before a refused item stays as it was", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		post := ada.Post("one")
		bob.Like(post)
		if a := batch(bob, like(post), like("missing00000000")); a.Status != 400 {
			t.Errorf("the batch: %d %s", a.Status, a.Raw)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("takes fifty requests", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("one")
		many := make([]map[string]any, 51)
		for i := range many {
			many[i] = like(post)
		}
		if a := batch(s.As("bob"), many...); a.Status != 400 {
			t.Errorf("51 requests: %d", a.Status)
		}
		if a := batch(s.As("bob"), many[:50]...); a.Status != 200 {
			t.Errorf("50 requests: %d %s", a.Status, a.Raw)
		}
	})
}

func TestDevices(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	body := map[string]any{"kind": "webpush", "endpoint": "https://push.example/1", "keys": map[string]any{"auth": "a"}}
	id := ada.Create("devices", body).ID()
	if again := ada.Create("devices", body).ID(); again != id {
		t.Errorf("the same endpoint again is %s, want %s", again, id)
	}
	if moved := bob.Create("devices", body); moved.ID() != id || moved.Body["user"] != bob.ID {
		t.Errorf("the endpoint did not move to bob: %s", moved.Raw)
	}
	if n := len(ada.List("devices", "")); n != 0 {
		t.Error("ada still has the device")
	}
}
