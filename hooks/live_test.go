package hooks_test

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// A notification that is not live is in the tray, on devices and in the mail; all else about it reaches those who are
// connected.
func TestWhatIsNotLiveIsListedAndSentButNotToldAtOnce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.setPreferences("ada", map[string]any{"notify": map[string]any{"like": map[string]any{"live": false, "mail": "now"}}})
	stream := a.As("ada").Listen("notifications/*")
	expect := func(action, kind string) hookstest.Message {
		t.Helper()
		m := stream.Next()
		if m.Action != action || kind != "" && m.Record["type"] != kind {
			t.Fatalf("told %s %s, want %s of a %s", m.Action, m.Raw, action, kind)
		}
		return m
	}
	like := a.As("bob").Like(post)
	a.As("carol").Like(post) // joins bob's notification
	a.As("bob").Comment(post, "", "hi")
	expect("create", "comment") // and nothing before it
	a.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1}, hookstest.Notification{Type: "like", Actors: 2})

	a.RunJobs()
	a.expectPushes("ada", "carol and bob liked your photo", "bob commented on your photo: hi")
	a.Advance(3 * time.Minute)
	a.RunJobs()
	a.expectMails("ada@example.com: carol and bob liked your photo") // although ada is connected, as she was not notified live

	a.As("bob").Delete("likes", like)
	if m := expect("create", "like"); m.Record["actorsCount"] != 1.0 {
		t.Errorf("told %s, want carol alone", m.Raw)
	}
	a.As("dave").Like(post)
	ada := a.As("ada")
	note := ada.List("notifications", "filter="+escapeQuery("type='like'"))[0]["id"].(string)
	ada.Update("notifications", note, map[string]any{"read": true}) // on another device
	if m := expect("update", "like"); m.Record["read"] != true || m.Record["actorsCount"] != 2.0 {
		t.Errorf("told %s, want that it is read", m.Raw)
	}
	a.As("eve").Like(post)
	ada.Delete("posts", post)
	for range 2 {
		expect("delete", "")
	}
	stream.ExpectSilence()
}

func TestANotificationKeptSilentByTheOwner(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
		social.OnNotify("like").BindFunc(func(e *hooks.NotifyEvent) error {
			e.Live = e.Live && e.Actor.GetString("handle") != "bob"
			return e.Next()
		})
	})
	post := s.As("ada").Post("hello")
	stream := s.As("ada").Listen("notifications/*")
	s.As("bob").Like(post)
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	s.As("carol").Like(post)
	if m := stream.Next(); m.Action != "create" || m.Record["actorsCount"] != 2.0 {
		t.Errorf("told %s %s", m.Action, m.Raw)
	}
	stream.ExpectSilence()
}
