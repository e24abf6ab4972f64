package hooks_test

import (
	"fmt"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/testenv"
)

// silentHandler binds a handler that gives neither an error nor what Next returns while silent.
func silentHandler[E hook.Resolver](h *hook.Hook[E], silent *atomic.Bool) {
	h.BindFunc(func(e E) error {
		if silent.Load() {
			return nil
		}
		return e.Next()
	})
}

// An owner's handler that does not call Next keeps what it is about from being stored: nobody is told that it was.
func TestAHandlerThatKeepsSilentIsNoSuccess(t *testing.T) {
	testenv.SkipSequential(t)
	answers := map[string]map[string]int{}
	for _, path := range []string{"on", "off"} {
		t.Setenv("DOUBLETAP_FASTPATH", path)
		var silent atomic.Bool
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			silentHandler(social.OnPost(), &silent)
			silentHandler(social.OnLike(), &silent)
			silentHandler(social.OnUnlike(), &silent)
			silentHandler(social.OnComment(), &silent)
			silentHandler(social.OnFollow(), &silent)
			silentHandler(social.OnUnfollow(), &silent)
			silentHandler(social.OnBlock(), &silent)
			silentHandler(social.OnReport(), &silent)
			silentHandler(social.OnErase(), &silent)
		})
		ada, bob := s.As("ada"), s.As("bob")
		post := ada.Post("one")
		other := ada.Post("two")
		like, follow := bob.Like(post), bob.Follow("ada")
		s.RunJobs()
		rows := func() string {
			return fmt.Sprint(s.Rows("posts", "1"), s.Rows("likes", "1"), s.Rows("comments", "1"), s.Rows("follows", "1"), s.Rows("blocks", "1"), s.Rows("reports", "1"),
				s.Rows("users", "state = 'active'"), s.Rows("notifications", "1"), s.Rows("jobs", "1"))
		}
		before := rows()
		silent.Store(true)
		answers[path] = map[string]int{}
		for _, c := range []struct {
			method, path string
			body         map[string]any
		}{
			{"POST", "likes/records", map[string]any{"post": other}},
			{"DELETE", "likes/records/" + like, nil},
			{"POST", "comments/records", map[string]any{"post": post, "text": "x"}},
			{"POST", "follows/records", map[string]any{"followee": s.User("carol").Id}},
			{"DELETE", "follows/records/" + follow, nil},
			{"POST", "blocks/records", map[string]any{"blocked": s.User("carol").Id}},
			{"POST", "reports/records", map[string]any{"post": post, "reason": "spam"}},
			{"DELETE", "users/records/" + bob.ID, nil},
		} {
			a := bob.Do(c.method, "/api/collections/"+c.path, c.body)
			if a.Status != 500 {
				t.Errorf("fast path %s: %s %s is answered %d %s", path, c.method, c.path, a.Status, a.Raw)
			}
			answers[path][c.method+" "+c.path[:5]] = a.Status
			if after := rows(); after != before {
				t.Errorf("fast path %s: %s %s leaves %s, of %s before", path, c.method, c.path, after, before)
			}
		}
	}
	if !maps.Equal(answers["on"], answers["off"]) {
		t.Errorf("the paths differ: %v", answers)
	}
}

// Whatever a kind of job expects, one that it cannot read is dead at once.
func TestNoJobIsTriedAgainThatCannotBeRead(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.RunJobs()
	for _, kind := range job.RunnerOf(s.App).HandledKinds() {
		if err := job.Enqueue(s.App, kind, "what no handler expects"); err != nil {
			t.Fatal(err)
		}
	}
	s.RunJobs()
	if n := s.Rows("jobs", "state = 'ready' AND error LIKE '%read payload%'"); n != 0 {
		t.Errorf("%d jobs are tried again", n)
	}
	if n := s.Rows("jobs", "state = 'dead' AND error LIKE '%read payload%'"); n < 8 {
		t.Errorf("%d jobs are dead, want those of all kinds that expect something", n)
	}
}
