package hooks_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/testenv"
)

const oneYear = 365 * 24 * time.Hour

// withMachineClock runs do with a service on a folder, on a machine whose clock is wrong by d.
func withMachineClock(t *testing.T, dir string, d time.Duration, do func(t *testing.T, s *hookstest.Service)) {
	t.Helper()
	t.Run("the machine is off by "+d.String(), func(t *testing.T) {
		do(t, hookstest.Open(t, dir, func(app core.App, _ *hooks.Social) { clock.ShiftMachine(app, d) }))
	})
}

// freshFolder returns a new data folder with the cast in it.
func freshFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Run("a folder", func(t *testing.T) {
		copyDataDir(t, hookstest.New(t), dir)
	})
	return dir
}

// feedPosts returns the posts of a feed, the newest first.
func feedPosts(c *hookstest.Client) (posts []string) {
	for _, row := range c.List("feed", "sort=-at,-post") {
		posts = append(posts, row["post"].(string))
	}
	return posts
}

func TestOrderHoldsWhileTheMachineIsPutBack(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	var posts []string
	for range 3 {
		posts = slices.Insert(posts, 0, ada.Post("look"))
		clock.ShiftMachine(s.App, -time.Hour)
	}
	if got := feedPosts(ada); !slices.Equal(got, posts) {
		t.Errorf("feed %v, want %v", got, posts)
	}
	bob.Like(posts[0])
	settings := ada.List("settings", "")[0]["id"].(string)
	seen := ada.Update("settings", settings, map[string]any{"seenAt": clock.Timestamp(s.App)}).Body["seenAt"].(string)
	clock.ShiftMachine(s.App, -time.Hour)
	bob.Comment(posts[0], "", "late")
	if unseen := ada.List("notifications", "filter="+url.QueryEscape(`latestAt > "`+seen+`"`)); len(unseen) != 1 {
		t.Errorf("%d notifications after %s: %v", len(unseen), seen, unseen)
	}
}

func TestOrderHoldsOverARestart(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := freshFolder(t)
	var posts []string
	withMachineClock(t, dir, 0, func(t *testing.T, s *hookstest.Service) { posts = append(posts, s.As("ada").Post("first")) })
	withMachineClock(t, dir, -40*time.Second, func(t *testing.T, s *hookstest.Service) {
		posts = slices.Insert(posts, 0, s.As("ada").Post("second"))
		if got := feedPosts(s.As("ada")); !slices.Equal(got, posts) {
			t.Errorf("feed %v, want %v", got, posts)
		}
	})
}

func TestRowsOfATimeToComeAreMendedAtStart(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := freshFolder(t)
	var posts []string
	var before []string // the tray
	withMachineClock(t, dir, oneYear, func(t *testing.T, s *hookstest.Service) {
		ada, bob := s.As("ada"), s.As("bob")
		for range 3 {
			posts = slices.Insert(posts, 0, ada.Post("look"))
			bob.Like(posts[0])
		}
		before = trayPosts(ada)
		if err := job.Enqueue(s.App, "nobody does this", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(s.App, `UPDATE jobs SET state = 'running', runAt = {:at}`, db.Params{"at": clock.FormatTime(clock.Now(s.App).Add(time.Minute))}); err != nil {
			t.Fatal(err)
		}
	})
	withMachineClock(t, dir, 0, func(t *testing.T, s *hookstest.Service) {
		ada, bob := s.As("ada"), s.As("bob")
		expectNoFutureTimes(t, s)
		if got := feedPosts(ada); !slices.Equal(got, posts) {
			t.Errorf("feed %v, want %v", got, posts)
		}
		if got := trayPosts(ada); !slices.Equal(got, before) {
			t.Errorf("tray %v, want %v", got, before)
		}
		posts = slices.Insert(posts, 0, ada.Post("now"))
		if got := feedPosts(ada); !slices.Equal(got, posts) {
			t.Errorf("feed %v, want %v", got, posts)
		}
		bob.Like(posts[0])
		newest := ada.List("notifications", "sort=-latestAt,-id")[0]
		if newest["post"] != posts[0] {
			t.Errorf("the newest notification is of %v, want %s", newest["post"], posts[0])
		}
		ada.Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": newest["latestAt"]})
		if n := s.Rows("notifications", "NOT read"); n != 0 {
			t.Errorf("%d notifications cannot be marked as read", n)
		}
		s.RunJobs()
		if n := s.Rows("jobs", "state = 'running' AND runAt > '"+clock.FormatTime(clock.Now(s.App).Add(time.Hour))+"'"); n != 0 {
			t.Errorf("%d jobs stay running", n)
		}
	})
}

// A machine's clock that shows a time before this program was written is not believed.
func TestAClockWithoutABatteryMendsNothing(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := freshFolder(t)
	var posts []string
	var created string
	withMachineClock(t, dir, 0, func(t *testing.T, s *hookstest.Service) {
		posts = append(posts, s.As("ada").Post("first"))
		created = s.Record("posts", posts[0]).GetString("created")
	})
	withMachineClock(t, dir, -10*oneYear, func(t *testing.T, s *hookstest.Service) {
		if got := s.Record("posts", posts[0]).GetString("created"); got != created {
			t.Errorf("created %s, want %s", got, created)
		}
		posts = slices.Insert(posts, 0, s.As("ada").Post("second"))
		if got := feedPosts(s.As("ada")); !slices.Equal(got, posts) {
			t.Errorf("feed %v, want %v", got, posts)
		}
	})
}

func TestReconciliationMendsWhatAFastClockStored(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	posts := []string{ada.Post("before")}
	clock.ShiftMachine(s.App, oneYear)
	for range 2 {
		posts = slices.Insert(posts, 0, ada.Post("ahead"))
		bob.Like(posts[0])
	}
	story := ada.Story()
	clock.ShiftMachine(s.App, -oneYear)
	posts = slices.Insert(posts, 0, ada.Post("put back"))
	if err := job.Enqueue(s.App, reconcile.HourlyJob, nil); err != nil {
		t.Fatal(err)
	}
	s.Advance(0)
	s.RunJobs()
	expectNoFutureTimes(t, s)
	if got := feedPosts(ada); !slices.Equal(got, posts) {
		t.Errorf("feed %v, want %v", got, posts)
	}
	if expires := s.Record("stories", story).GetDateTime("expires").Time(); expires.After(clock.Now(s.App).Add(25 * time.Hour)) {
		t.Errorf("the story ends %s", expires)
	}
	if now := clock.Now(s.App); now.After(clock.LatestPlausible(s.App)) {
		t.Errorf("the clock still shows %s", now)
	}
}

// expectNoFutureTimes fails if a stored time is in the future, in any table that has times.
func expectNoFutureTimes(t *testing.T, s *hookstest.Service) {
	t.Helper()
	for _, f := range doctorFindings(t, s.App) {
		if f.Check == "moments" && f.State != cli.StateOK {
			t.Error(f.Detail)
		}
	}
}

func trayPosts(c *hookstest.Client) (posts []string) {
	for _, row := range c.List("notifications", "sort=-latestAt,-id") {
		posts = append(posts, strings.Join([]string{row["type"].(string), row["post"].(string)}, " "))
	}
	return posts
}
