package hooks_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/hooks/hookstest"
	"doubletap/internal/db"
	"doubletap/internal/erase"
	"doubletap/internal/job"
	"doubletap/internal/reconcile"
	"doubletap/internal/sweep"
)

// stepOf has a transaction change so many rows at most of what goes in steps; with none, all is left to a job.
func stepOf(s *hookstest.Service, rows int) {
	sweep.SetPace(s.App, sweep.Pace{Time: time.Hour, Rows: rows})
}

// While an account is being erased, those whom it blocked or who blocked it see its comments as little as before.
func TestWhoIsErasedStaysBlockedMeanwhile(t *testing.T) {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("eve").Comment(post, "", "one")
	s.As("eve").Comment(post, "", "two")
	s.As("bob").Block("eve")
	s.As("eve").Block("carol")
	s.As("eve").Delete("users", s.As("eve").ID)
	stepOf(s, 1)
	steps := 0
	for left := true; left; steps++ {
		for _, name := range []string{"bob", "carol"} {
			if shown := s.As(name).List("comments", ""); len(shown) > 0 {
				t.Fatalf("after %d steps %s sees %v", steps, name, shown[0]["text"])
			}
		}
		left = s.Rows("comments", "true") > 0
		if err := s.App.RunInTransaction(func(tx core.App) error { return erase.Account.Begin(tx, sweep.Subject{"user": s.As("eve").ID}) }); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 3 {
		t.Errorf("%d steps", steps)
	}
}

// A notification that was dismissed, and whose events a job has yet to detach, does not come back with them.
func TestADismissedNotificationDoesNotComeBackWithItsFormerActors(t *testing.T) {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	like := s.As("bob").Like(post)
	s.As("bob").Delete("likes", like)
	s.As("bob").Like(post) // the notification remembers that it was there
	s.As("carol").Like(post)
	s.As("dave").Like(post)
	s.Expect("ada", hookstest.Told{Type: "like", Actors: 3})
	stepOf(s, 1)
	s.As("ada").Delete("notifications", s.As("ada").List("notifications", "")[0]["id"].(string))
	s.As("bob").Delete("likes", like)
	s.As("bob").Like(post)
	for range 2 {
		s.Expect("ada", hookstest.Told{Type: "like", Actors: 1, Read: true})
		if actors := s.As("ada").List("notifications", "")[0]["actors"].([]any); len(actors) != 1 {
			t.Errorf("it names %v", actors)
		}
		s.RunJobs()
	}
	sqlOf(t, s, `CREATE TABLE unblocked (a, b)`, nil)
	sqlOf(t, s, `INSERT INTO unblocked SELECT author, {:bob} FROM posts`, map[string]any{"bob": s.As("bob").ID})
	checkInvariants(t, s)
}

// What is done again after an unblock stays, while a job still takes back what was told before the block.
func TestWhoFollowsAgainAfterABlockIsInTheTray(t *testing.T) {
	s := hookstest.New(t)
	one, two := s.As("ada").Post("one"), s.As("ada").Post("two")
	s.As("bob").Like(one)
	s.As("bob").Like(two)
	s.As("bob").Follow("ada")
	stepOf(s, 1)
	block := s.As("ada").Block("bob")
	s.As("ada").Delete("blocks", block)
	if s.Rows("jobs", "kind = 'notification.part'") == 0 {
		t.Fatal("nothing is left for a job, so this test tests nothing")
	}
	s.As("bob").Follow("ada")
	s.RunJobs()
	s.Expect("ada", hookstest.Told{Type: "follow", Actors: 1, Read: true})
	sqlOf(t, s, `CREATE TABLE unblocked (a, b)`, nil)
	sqlOf(t, s, `INSERT INTO unblocked SELECT author, {:bob} FROM posts`, map[string]any{"bob": s.As("bob").ID})
	checkInvariants(t, s)
}

// A comment that was answered is buried although its post is gone and the rows of that have yet to go, by its author and with its author.
func TestAnAnsweredCommentOnAGonePostIsBuried(t *testing.T) {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	for _, name := range []string{"bob", "dave"} {
		root := s.As(name).Comment(post, "", "one")
		s.As("carol").Comment(post, root, "two")
	}
	stepOf(s, 0)
	s.As("ada").Delete("posts", post)
	var comment string
	if _, err := db.Value(s.App, &comment, `SELECT id FROM comments WHERE author = {:bob}`, map[string]any{"bob": s.As("bob").ID}); err != nil {
		t.Fatal(err)
	}
	s.As("bob").Delete("comments", comment)
	stepOf(s, 100)
	err := s.App.RunInTransaction(func(tx core.App) error { return erase.Account.Begin(tx, sweep.Subject{"user": s.As("dave").ID}) })
	if err != nil {
		t.Error(err)
	}
}

func TestAnOwnersJobOfOurFormKeepsNothingFromBeingMended(t *testing.T) {
	s := hookstest.New(t)
	s.As("bob").Like(s.As("ada").Post("hello"))
	if err := job.Add(s.App, "owners.gone", map[string]any{"thing": "x"}); err != nil {
		t.Fatal(err)
	}
	sqlOf(t, s, `UPDATE likes SET post = 'nosuchpost00001'`, nil)
	if err := reconcile.Run(t.Context(), s.App, func(*reconcile.Result) {}); err != nil {
		t.Error(err)
	}
	if s.Rows("likes", "true") != 0 {
		t.Error("a like of nothing is left")
	}
}

// A work comes to its end although looking for what there is not takes all the time that a step has.
func TestASlowLookKeepsNoWorkFromItsEnd(t *testing.T) {
	s := hookstest.New(t)
	sweep.SetPace(s.App, sweep.Pace{Rows: 400}) // it is late as soon as it begins
	looks, left := 0, 3
	work := sweep.Work{Kind: "late", Parts: []sweep.Part{
		{Do: func(core.App, sweep.Subject, int) (int, error) {
			if looks++; looks > 10 {
				return 0, errors.New("it looks again and again")
			}
			return 0, nil
		}},
		{Weight: 400, Do: func(core.App, sweep.Subject, int) (int, error) {
			n := min(left, 1)
			left -= n
			return n, nil
		}},
	}}
	if err := work.Finish(t.Context(), s.App, nil); err != nil || left != 0 {
		t.Errorf("%v, %d rows are left", err, left)
	}
}
