package hooks_test

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/testenv"
)

// turnBellOn turns the bell of somebody's follow on.
func turnBellOn(c *hookstest.Client, followee string) {
	c.Update("follows", c.Follow(followee), map[string]any{"notify": true})
}

func TestABellTellsOfOnePersonsPosts(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	alerts := 0
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
		social.OnNotify("post").BindFunc(func(e *hooks.NotifyEvent) error {
			if e.Push || e.Mail {
				alerts++
			}
			return e.Next()
		})
	})
	ada, bob, carol, dave := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave")
	turnBellOn(bob, "ada")
	carol.Follow("ada") // without a bell
	turnBellOn(dave, "carol")
	s.RunJobs()
	quiet := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if n := s.Rows("notifications", "type = 'post' AND recipient = {:u}", map[string]any{"u": s.User(name).Id}); n != 0 {
				t.Errorf("%s was told %d times", name, n)
			}
		}
	}

	ada.Post("for me alone", "visibility", "private")
	s.RunJobs()
	quiet("ada", "bob", "carol", "dave")

	first := ada.Post("one")
	second := ada.Post("two", "visibility", "followers")
	s.RunJobs()
	s.ExpectTray("bob", hookstest.Notification{Type: "post", Actors: 1})
	if got := bob.List("notifications", "filter=type='post'")[0]["post"]; got != second {
		t.Errorf("bob is shown %v, want the newest post %s", got, second)
	}
	if alerts != 1 {
		t.Errorf("%d alerts for two posts", alerts)
	}
	quiet("ada", "carol", "dave")

	ada.Delete("posts", second)
	if got := bob.List("notifications", "filter=type='post'"); len(got) != 1 || got[0]["post"] != first {
		t.Errorf("without the newest post bob is shown %v, want %s", got, first)
	}

	s.Advance(13 * time.Hour)
	ada.Post("three")
	s.RunJobs()
	if n := s.Rows("notifications", "type = 'post'"); n != 1 || alerts != 2 {
		t.Errorf("%d notifications and %d alerts after half a day, want the one moved up, and 2", n, alerts)
	}

	bob.Delete("follows", bob.Follow("ada"))
	quiet("bob")
	ada.Post("four")
	s.RunJobs()
	quiet("bob")
}

func TestABellRingsForThoseWhoMaySee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	for _, name := range []string{"bob", "carol", "dave"} {
		turnBellOn(s.As(name), "ada")
	}
	s.As("carol").Create("mutes", map[string]any{"muted": ada.ID})
	ada.Post("hello")
	ada.Block("dave") // before the job
	s.RunJobs()
	s.ExpectTray("bob", hookstest.Notification{Type: "post", Actors: 1})
	s.ExpectTray("carol")
	s.ExpectTray("dave")
}

// A step notifies a number of people and leaves the others to the next step; nobody is notified twice or left out.
func TestABellRingsForManyInSteps(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	const people = 47
	for n := range people {
		turnBellOn(s.Someone(n), "ada")
	}
	post := s.As("ada").Post("hello")
	s.RunJobs()
	if n := s.Rows("notifications", "type = 'post' AND post = {:p}", map[string]any{"p": post}); n != people {
		t.Errorf("%d of %d were told", n, people)
	}
}

// TestABellThatRingsAnewTellsNobodyTwice runs the job of a post once more, as after a restart in the midst of it.
func TestABellThatRingsAnewTellsNobodyTwice(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	turnBellOn(s.As("bob"), "ada")
	turnBellOn(s.As("carol"), "ada")
	s.RunJobs()
	id := ada.Post("one")
	s.RunJobs()
	where, bob := "type = 'post' AND read = 0 AND recipient = {:u}", map[string]any{"u": s.User("bob").Id}
	told := s.As("bob").List("notifications", "filter=type='post'")
	s.As("bob").Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": told[0]["latestAt"]})
	s.RunJobs()
	if err := job.Enqueue(s.App, notification.Ringing.Kind, sweep.Subject{"post": id}); err != nil {
		t.Fatal(err)
	}
	s.RunJobs()
	if n := s.Rows("notifications", where, bob); n != 0 {
		t.Error("bob is told once more of a post that he has read of")
	}
	next := ada.Post("two")
	s.RunJobs()
	if got := s.As("bob").List("notifications", "filter=type='post'"); len(got) != 1 || got[0]["post"] != next {
		t.Errorf("bob is shown %v, want the next post %s", got, next)
	}
}
