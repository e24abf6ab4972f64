package hooks_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// One actor alerts one recipient of a few things an hour; the rest is in the tray.
func TestFortyPostsThatMentionOnePersonAreFewAlerts(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	a.addBrowser("ada")
	a.setPreferences("ada", mailPreference("mention", "now"))
	mention := func(n int) {
		for i := range n {
			a.As("bob").Post(fmt.Sprint("look, @ada ", i))
		}
	}
	mention(40)
	a.RunJobs()
	a.Advance(3 * time.Minute)
	a.RunJobs()
	if pushes, mails := len(a.pushTexts("ada")), len(a.mailServer.ReceivedMails()); pushes != 5 || mails != 5 {
		t.Errorf("%d pushes and %d mails, want 5 each", pushes, mails)
	}
	if n := len(a.As("ada").List("notifications", "perPage=100&filter="+escapeQuery("type='mention'"))); n != 40 {
		t.Errorf("%d mentions in the tray, want 40", n)
	}
	// the alerts that another actor may cause are not spent, nor are those of the next hour
	a.As("carol").Post("and you, @ada")
	a.RunJobs()
	if n := len(a.pushTexts("ada")); n != 6 {
		t.Errorf("%d pushes after carol's, want 6", n)
	}
	a.Advance(time.Hour)
	mention(7)
	a.RunJobs()
	if n := len(a.pushTexts("ada")); n != 11 {
		t.Errorf("%d pushes an hour later, want 11", n)
	}
}

// A device that shows the tray shows everything that is in it.
func TestWhatIsBeyondTheBudgetIsToldLiveAllTheSame(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	stream := s.As("ada").Listen("notifications/*")
	for i := range 7 {
		s.As("bob").Post(fmt.Sprint("look, @ada ", i))
	}
	s.As("carol").Post("and you, @ada")
	told := map[string]int{}
	for told[s.User("carol").Id] == 0 {
		told[stream.Next().Record["actors"].([]any)[0].(string)]++
	}
	if n := told[s.User("bob").Id]; n != 7 {
		t.Errorf("bob's mentions were told live %d times, want 7", n)
	}
	// a conversation about one thing goes on
	post := s.As("ada").Post("mine")
	for i := range 8 {
		s.As("dave").Comment(post, "", fmt.Sprint("and then ", i))
		if m := stream.Next(); m.Record["type"] != "comment" {
			t.Fatalf("dave's comment %d is told as %s", i, m.Raw)
		}
	}
}

func TestAMentionThatIsTakenBackAndSaidAgainDoesNotRingEachTime(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	a.addBrowser("ada")
	bob := a.As("bob")
	post := bob.Post("hello @ada")
	for range 10 {
		a.RunJobs()
		bob.Update("posts", post, jsonObject{"caption": "hello"})
		a.Advance(10 * time.Second)
		bob.Update("posts", post, jsonObject{"caption": "hello @ada"})
	}
	a.RunJobs()
	a.expectPushes("ada", "bob mentioned you")
	if n := a.Rows("retractions", "1"); n != 0 {
		t.Errorf("%d retractions of a notification that is there", n)
	}
}

// trayClient is a device that catches up by seq.
type trayClient struct {
	client *hookstest.Client
	seq    float64
	rows   map[string]float64
}

func (d *trayClient) catchUp() {
	since := escapeQuery(fmt.Sprintf("seq > %.0f", d.seq))
	for _, n := range d.client.List("notifications", "sort=seq&perPage=200&filter="+since) {
		d.rows[n["id"].(string)] = n["seq"].(float64)
		d.seq = max(d.seq, n["seq"].(float64))
	}
	for _, r := range d.client.List("retractions", "sort=seq&perPage=200&filter="+since) {
		if id := r["notification"].(string); d.rows[id] <= r["seq"].(float64) {
			delete(d.rows, id)
		}
		d.seq = max(d.seq, r["seq"].(float64))
	}
}

// Whoever likes and unlikes again and again leaves one trace, and a device that was away for any part of it catches
// up.
func TestTogglesLeaveOneTraceAndLoseNothing(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for what, toggle := range map[string]func(s *hookstest.Service, post string) (on, off func()){
		"a like": func(s *hookstest.Service, post string) (on, off func()) {
			return func() { s.As("bob").Like(post) }, func() { unlikePost(s, "bob", post) }
		},
		"a follow": func(s *hookstest.Service, _ string) (on, off func()) {
			id := ""
			return func() { id = s.As("bob").Follow("ada") }, func() { s.As("bob").Delete("follows", id) }
		},
		"a request": func(s *hookstest.Service, _ string) (on, off func()) {
			ada, id := s.As("ada"), ""
			ada.Update("users", ada.ID, jsonObject{"private": true})
			return func() { id = s.As("bob").Follow("ada") }, func() { s.As("bob").Delete("follows", id) }
		},
		"a comment": func(s *hookstest.Service, post string) (on, off func()) {
			id := ""
			return func() { id = s.As("bob").Comment(post, "", "hello") }, func() { s.As("bob").Delete("comments", id) }
		},
		"a like of a comment": func(s *hookstest.Service, post string) (on, off func()) {
			comment, id := s.As("ada").Comment(post, "", "mine"), ""
			return func() { id = s.As("bob").Create("comment_likes", jsonObject{"comment": comment}).ID() }, func() { s.As("bob").Delete("comment_likes", id) }
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := hookstest.New(t)
			ada := s.As("ada")
			on, off := toggle(s, ada.Post("hello"))
			devices := make([]*trayClient, 5) // the first catches up after each change, the last after each fifth
			for i := range devices {
				devices[i] = &trayClient{client: ada, rows: map[string]float64{}}
			}
			check := func(step int) {
				t.Helper()
				for i, d := range devices {
					if step%(i+1) != 0 {
						continue
					}
					d.catchUp()
					truth := map[string]float64{}
					for _, n := range ada.List("notifications", "perPage=200") {
						truth[n["id"].(string)] = n["seq"].(float64)
					}
					if !maps.Equal(truth, d.rows) {
						t.Fatalf("step %d: a device that caught up has %v, the tray %v", step, d.rows, truth)
					}
				}
			}
			for i := range 5 {
				on()
				check(2*i + 1)
				off()
				check(2*i + 2)
				s.Advance(time.Minute)
			}
			if n := s.Rows("retractions", "1"); n != 1 {
				t.Errorf("%d retractions, want 1", n)
			}
			if n := s.Rows("notification_events", "actor = {:b}", map[string]any{"b": s.User("bob").Id}); n != 1 {
				t.Errorf("%d events, want 1", n)
			}
			on()
			check(20)
			if n := s.Rows("retractions", "1"); n != 0 {
				t.Errorf("%d retractions of what is there", n)
			}
			// dismissed, it stays away from this device and its trace stays
			id := slices.Collect(maps.Keys(devices[0].rows))[0]
			ada.Delete("notifications", id)
			check(20)
			off()
			on()
			check(20)
			off()
			check(20)
		})
	}
}

// Two people who did the same thing bring the same notification back, once.
func TestAnotherActorMayHaveBroughtItBack(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("bob").Like(post)
	s.As("carol").Like(post)
	unlikePost(s, "bob", post)
	unlikePost(s, "carol", post)
	s.Advance(13 * time.Hour) // a group takes no further actors
	s.As("bob").Like(post)
	s.As("carol").Like(post)
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 2, Read: true})
	unlikePost(s, "carol", post)
	s.Advance(25 * time.Hour) // it alerts again
	s.As("carol").Like(post)
	if n := s.Rows("notification_events", "active = 1"); n != 2 {
		t.Errorf("%d events, want both", n)
	}
}
