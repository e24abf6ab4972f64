package hooks_test

import (
	"context"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/erase"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/testenv"
)

// setStepRows lets one transaction change at most this many rows of what goes in steps; with 0 everything is left to
// a job.
func setStepRows(s *hookstest.Service, rows int) {
	db.SetPace(s.App, db.Pace{Time: time.Hour, Rows: rows})
}

// While an account is being erased, those whom it blocked, or who blocked it, still do not see its comments.
func TestWhoIsErasedStaysBlockedMeanwhile(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("eve").Comment(post, "", "one")
	s.As("eve").Comment(post, "", "two")
	s.As("bob").Block("eve")
	s.As("eve").Block("carol")
	s.As("eve").Delete("users", s.As("eve").ID)
	setStepRows(s, 1)
	steps := 0
	for left := true; left; steps++ {
		for _, name := range []string{"bob", "carol"} {
			if shown := s.As(name).List("comments", ""); len(shown) > 0 {
				t.Fatalf("after %d steps %s sees %v", steps, name, shown[0]["text"])
			}
		}
		left = s.Rows("comments", "true") > 0
		if err := s.App.RunInTransaction(func(tx core.App) error { return erase.AccountWork.Begin(tx, sweep.Subject{"user": s.As("eve").ID}) }); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 3 {
		t.Errorf("%d steps", steps)
	}
}

// A notification that was dismissed does not come back with its events, which a job has yet to detach.
func TestADismissedNotificationDoesNotComeBackWithItsFormerActors(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	like := s.As("bob").Like(post)
	s.As("bob").Delete("likes", like)
	s.As("bob").Like(post) // the notification remembers that it was there
	s.As("carol").Like(post)
	s.As("dave").Like(post)
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 3})
	setStepRows(s, 1)
	s.As("ada").Delete("notifications", s.As("ada").List("notifications", "")[0]["id"].(string))
	s.As("bob").Delete("likes", like)
	s.As("bob").Like(post)
	for range 2 {
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1, Read: true})
		if actors := s.As("ada").List("notifications", "")[0]["actors"].([]any); len(actors) != 1 {
			t.Errorf("it names %v", actors)
		}
		s.RunJobs()
	}
	execSQLWith(t, s, `CREATE TABLE unblocked (a, b)`, nil)
	execSQLWith(t, s, `INSERT INTO unblocked SELECT author, {:bob} FROM posts`, map[string]any{"bob": s.As("bob").ID})
	checkInvariants(t, s)
}

// What is done again after an unblock stays, while a job still takes back the notifications from before the block.
func TestWhoFollowsAgainAfterABlockIsInTheTray(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	one, two := s.As("ada").Post("one"), s.As("ada").Post("two")
	s.As("bob").Like(one)
	s.As("bob").Like(two)
	s.As("bob").Follow("ada")
	setStepRows(s, 1)
	block := s.As("ada").Block("bob")
	s.As("ada").Delete("blocks", block)
	if s.Rows("jobs", "kind = 'notification.part'") == 0 {
		t.Fatal("nothing is left for a job, so this test tests nothing")
	}
	s.As("bob").Follow("ada")
	s.RunJobs()
	s.ExpectTray("ada", hookstest.Notification{Type: "follow", Actors: 1, Read: true})
	execSQLWith(t, s, `CREATE TABLE unblocked (a, b)`, nil)
	execSQLWith(t, s, `INSERT INTO unblocked SELECT author, {:bob} FROM posts`, map[string]any{"bob": s.As("bob").ID})
	checkInvariants(t, s)
}

// A comment with replies is deleted, by its author and with its author's account, although its post is gone and the
// rows of that post have yet to go.
func TestAnAnsweredCommentOnAGonePostIsBuried(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	for _, name := range []string{"bob", "dave"} {
		root := s.As(name).Comment(post, "", "one")
		s.As("carol").Comment(post, root, "two")
	}
	setStepRows(s, 0)
	s.As("ada").Delete("posts", post)
	var comment string
	if _, err := db.QueryValue(s.App, &comment, `SELECT id FROM comments WHERE author = {:bob}`, map[string]any{"bob": s.As("bob").ID}); err != nil {
		t.Fatal(err)
	}
	s.As("bob").Delete("comments", comment)
	setStepRows(s, 100)
	err := s.App.RunInTransaction(func(tx core.App) error { return erase.AccountWork.Begin(tx, sweep.Subject{"user": s.As("dave").ID}) })
	if err != nil {
		t.Error(err)
	}
}

func TestAnOwnersJobOfOurFormKeepsNothingFromBeingMended(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.As("bob").Like(s.As("ada").Post("hello"))
	if err := job.Enqueue(s.App, "owners.gone", map[string]any{"thing": "x"}); err != nil {
		t.Fatal(err)
	}
	execSQLWith(t, s, `UPDATE likes SET post = 'nosuchpost00001'`, nil)
	if err := reconcile.RunHourly(t.Context(), s.App, func(*reconcile.Result) {}); err != nil {
		t.Error(err)
	}
	if s.Rows("likes", "true") != 0 {
		t.Error("a like of nothing is left")
	}
}

// A work comes to its end even if searching for rows that do not exist takes all the time of a step.
func TestASlowLookKeepsNoWorkFromItsEnd(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	for _, name := range []string{"bob", "carol", "dave"} {
		s.As(name).Like(post)
	}
	db.SetPace(s.App, db.Pace{Rows: 400}) // it is late as soon as it begins
	ctx, end := context.WithCancel(t.Context())
	steps := 0
	limits := db.WriterLimits(s.App)
	limits.OnCommit = func(int64) {
		if steps++; steps > 10 {
			end() // it looks again and again
		}
	}
	db.LimitWriter(s.App, limits)
	work := sweep.Work{Kind: "late", Parts: []sweep.Part{sweep.DeletePart("saves", `post = 'none'`), sweep.DeletePart("likes", `post = {:post}`).Heavier(400)}}
	if err := work.Finish(ctx, s.App, sweep.Subject{"post": post}); err != nil || s.Rows("likes", "true") != 0 {
		t.Errorf("%v, %d rows are left", err, s.Rows("likes", "true"))
	}
}

// A tray is marked as read by what is not read in it: also what came in below what was read before, as from an import.
func TestNothingStaysUnreadBelowWhatWasRead(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	for _, text := range []string{"one", "two"} {
		s.As("bob").Like(ada.Post(text))
	}
	all := ada.List("notifications", "sort=-latestAt")
	read := func() {
		ada.Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": all[0]["latestAt"]})
		s.RunJobs()
		if n := s.Rows("notifications", "read = 0"); n != 0 {
			t.Errorf("%d notifications are not read", n)
		}
	}
	read()
	execSQLWith(t, s, `UPDATE notifications SET read = 0 WHERE id = {:id}`, map[string]any{"id": all[1]["id"]})
	read()
}
