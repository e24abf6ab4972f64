package hooks_test

import (
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("likes of a post within twelve hours are one row", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		for _, name := range []string{"bob", "carol", "dave"} {
			s.As(name).Like(post)
			s.Advance(5 * time.Hour)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 3})
		s.As("eve").Like(post) // 15 hours after the first
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "like", Actors: 3})
	})
	t.Run("a new actor makes a read row unread and newest", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		one, two := ada.Post("one"), ada.Post("two")
		s.As("bob").Like(one)
		s.Advance(time.Minute)
		s.As("bob").Like(two)
		rows := ada.List("notifications", "sort=latestAt")
		ada.Update("notifications", rows[0]["id"].(string), map[string]any{"read": true})
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "like", Actors: 1, Read: true})
		s.Advance(time.Minute)
		s.As("carol").Like(one)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 2}, hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("a like that comes back is silent", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		post := ada.Post("hello")
		bob.Like(post)
		at := ada.List("notifications", "")[0]["latestAt"]
		s.Advance(time.Hour)
		unlikePost(s, "bob", post)
		s.ExpectTray("ada")
		s.Advance(time.Hour)
		bob.Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1, Read: true})
		if got := ada.List("notifications", "")[0]["latestAt"]; got != at {
			t.Errorf("latestAt moved from %v to %v", at, got)
		}
		s.Advance(25 * time.Hour)
		unlikePost(s, "bob", post)
		bob.Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("eight actors are named and all are counted", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		for i := range 11 {
			s.Someone(i).Like(post)
		}
		row := s.As("ada").List("notifications", "")[0]
		if row["actorsCount"] != 11.0 || len(row["actors"].([]any)) != 8 {
			t.Errorf("%v actors, %d named, want 11 and 8", row["actorsCount"], len(row["actors"].([]any)))
		}
	})
	t.Run("a dismissed row does not come back with the same like", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("hello")
		s.As("bob").Like(post)
		ada.Delete("notifications", ada.List("notifications", "")[0]["id"].(string))
		s.As("carol").Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("preferences decide what is listed", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("hello")
		ada.Update("settings", ada.List("settings", "")[0]["id"].(string), map[string]any{"notify": map[string]any{
			"like": map[string]any{"list": false}, "comment": map[string]any{"from": "follows"},
		}})
		s.As("bob").Like(post)
		s.As("bob").Comment(post, "", "x")
		s.ExpectTray("ada")
		ada.Follow("carol")
		s.As("carol").Comment(post, "", "x")
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
	})
}

func TestSeq(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	var last float64
	next := func(what string) {
		t.Helper()
		var seq float64
		for _, collection := range []string{"notifications", "retractions"} {
			for _, row := range ada.List(collection, "sort=-seq&perPage=1") {
				seq = max(seq, row["seq"].(float64))
			}
		}
		if seq <= last {
			t.Fatalf("%s: seq is %v after %v", what, seq, last)
		}
		last = seq
	}
	s.As("bob").Like(post)
	next("a like")
	s.As("carol").Like(post)
	next("another actor")
	ada.Update("notifications", ada.List("notifications", "")[0]["id"].(string), map[string]any{"read": true})
	next("read")
	unlikePost(s, "bob", post)
	next("an unlike")
	unlikePost(s, "carol", post)
	next("the group's end")
	s.As("bob").Like(post)
	next("back again")
	ada.Delete("notifications", ada.List("notifications", "")[0]["id"].(string))
	next("dismissed")
	s.App.Delete(s.Record("posts", post))
	s.Advance(8 * 24 * time.Hour)
	last = 0
	for range 1 {
		s.As("bob").Like(ada.Post("later"))
		next("after a while")
	}
}

func TestSeenAndRead(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	one, two := ada.Post("one"), ada.Post("two")
	s.As("bob").Like(one)
	s.Advance(time.Minute)
	s.As("bob").Like(two)
	rows := ada.List("notifications", "sort=latestAt")
	settings := ada.List("settings", "")[0]["id"].(string)

	seen := ada.Update("settings", settings, map[string]any{"seenAt": rows[0]["latestAt"]}).Body["seenAt"]
	if seen != rows[0]["latestAt"] {
		t.Errorf("seenAt is %v, want %v", seen, rows[0]["latestAt"])
	}
	if n := len(ada.List("notifications", "filter=latestAt>'"+escapeQuery(seen.(string))+"'")); n != 1 {
		t.Errorf("the badge is %d, want 1", n)
	}
	if got := ada.Update("settings", settings, map[string]any{"seenAt": "2001-01-01 00:00:00.000Z"}).Body["seenAt"]; got != seen {
		t.Errorf("seenAt went back to %v", got)
	}
	if got := ada.Update("settings", settings, map[string]any{"seenAt": "2099-01-01 00:00:00.000Z"}).Body["seenAt"].(string); got > "2098" {
		t.Errorf("seenAt is in the future: %v", got)
	}

	ada.Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": rows[0]["latestAt"]})
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "like", Actors: 1, Read: true})
	if got := ada.List("settings", "")[0]["readAt"]; got != rows[0]["latestAt"] {
		t.Errorf("readAt is %v, want %v", got, rows[0]["latestAt"])
	}
	s.Guest().Must(401, "POST", "/api/v1/notifications/read", map[string]any{"before": rows[0]["latestAt"]})
	ada.Must(400, "POST", "/api/v1/notifications/read", map[string]any{"before": "soon"})
	bobs := s.As("bob")
	bobs.Must(404, "PATCH", "/api/collections/notifications/records/"+rows[0]["id"].(string), map[string]any{"read": true})
	ada.Must(404, "PATCH", "/api/collections/notifications/records/"+rows[0]["id"].(string), map[string]any{"read": false})
}

func TestSuperusersTellPeople(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	stream := ada.Listen("notifications/*")
	for range 2 {
		s.Admin().Create("notifications", map[string]any{"recipient": ada.ID, "type": "system"})
		if m := stream.Next(); m.Action != "create" || m.Record["type"] != "system" || m.Record["latestAt"] == "" {
			t.Errorf("ada is told %s", m.Raw)
		}
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "system"}, hookstest.Notification{Type: "system"})
}

func TestALostSettingsRowIsMadeAnew(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	one, two := ada.Post("one"), ada.Post("two")
	s.As("bob").Like(one)
	s.As("bob").Like(two)
	s.Admin().Delete("settings", ada.List("settings", "")[0]["id"].(string))
	s.As("carol").Like(two)
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 2}, hookstest.Notification{Type: "like", Actors: 1})
}
