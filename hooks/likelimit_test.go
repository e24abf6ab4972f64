package hooks_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
)

// TestALimitedLikeDoesNotRunOthersAgain has a like that is too many share a transaction with those of others, whose hooks run once.
func TestALimitedLikeDoesNotRunOthersAgain(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "likes=1/24h")
	var mu sync.Mutex
	runs, vetoed := map[string]int{}, false
	entered, open := make(chan struct{}), make(chan struct{})
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
		social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
			if e.User.GetString("handle") == "mallory" { // whose like keeps the writer until the others wait
				close(entered)
				<-open
			}
			mu.Lock()
			runs[e.User.GetString("handle")]++
			mu.Unlock()
			if vetoed {
				return apis.NewForbiddenError("Not you.", nil)
			}
			return e.Next()
		})
	})
	post, other := postOf(s, 0), postOf(s, 1)
	s.As("bob").Like(other)
	var all sync.WaitGroup
	like := func(name string, want int) {
		by := s.As(name)
		all.Go(func() {
			if a := by.Do("POST", "/api/collections/likes/records", jsonObject{"post": post}); a.Status != want {
				t.Errorf("%s is answered %d %s", name, a.Status, a.Raw)
			}
		})
	}
	like("mallory", 200)
	<-entered
	for n, name := range []string{"carol", "dave", "eve", "bob"} {
		want := 200
		if name == "bob" {
			want = 429
		}
		for like(name, want); s.Social.WaitingWrites() <= n; {
			runtime.Gosched()
		}
	}
	close(open)
	all.Wait()
	for _, name := range []string{"carol", "dave", "eve"} {
		if runs[name] != 1 {
			t.Errorf("the like of %s ran %d times", name, runs[name])
		}
	}
	if n := s.Rows("likes", "true"); n != 5 {
		t.Errorf("%d likes are stored", n)
	}
	vetoed = true
	like("ada", 403)
	all.Wait()
	vetoed = false
	like("ada", 200) // what was not stored is not counted
	all.Wait()
}
