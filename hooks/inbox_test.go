package hooks_test

import (
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("a like reaches every device of its owner and nobody else's", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
		post := ada.Post("hello")
		phone, laptop := ada.Listen("notifications/*"), ada.Listen("notifications/*", "settings/*")
		others := []*hookstest.Stream{bob.Listen("notifications/*"), carol.Listen("notifications/*"), s.Guest().Listen("notifications/*")}

		bob.Like(post)
		for _, device := range []*hookstest.Stream{phone, laptop} {
			m := device.Next()
			if m.Topic != "notifications/*" || m.Action != "create" || m.Record["type"] != "like" || m.Record["actorsCount"] != 1.0 || m.Record["post"] != post {
				t.Errorf("the device is told %s %s", m.Topic, m.Raw)
			}
		}
		carol.Like(post)
		if m := phone.Next(); m.Action != "update" || m.Record["actorsCount"] != 2.0 {
			t.Errorf("the phone is told %s", m.Raw)
		}
		unlikePost(s, "bob", post)
		unlikePost(s, "carol", post)
		last := phone.Next()
		for last.Action != "delete" { // two changes may come as one
			last = phone.Next()
		}
		for _, stream := range others {
			stream.ExpectSilence()
		}
	})
	t.Run("reading on one device is seen on the other", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		s.As("bob").Like(ada.Post("hello"))
		row := ada.List("notifications", "")[0]
		other := ada.Listen("notifications/*", "settings/*")
		ada.Update("notifications", row["id"].(string), map[string]any{"read": true})
		if m := other.Next(); m.Record["read"] != true {
			t.Errorf("the other device is told %s", m.Raw)
		}
		ada.Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": row["latestAt"]})
		if m := other.Next(); m.Topic != "settings/*" || m.Record["readAt"] != row["latestAt"] || m.Record["seq"] != nil {
			t.Errorf("the other device is told %s %s", m.Topic, m.Raw)
		}
	})
	t.Run("a post arrives in an open feed and leaves it", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		follow := bob.Follow("ada")
		feed := bob.Listen(`feed/*?options={"query":{"expand":"post.author"}}`)
		post := s.As("ada").Post("hello")
		m := feed.Next()
		shown, _ := m.Record["expand"].(map[string]any)["post"].(map[string]any)
		if m.Action != "create" || m.Record["post"] != post || shown["liked"] != "" || shown["expand"] == nil {
			t.Errorf("bob is told %s", m.Raw)
		}
		s.As("ada").Update("posts", post, map[string]any{"visibility": "private"})
		if gone := feed.Next(); gone.Action != "delete" || gone.Record["id"] != m.Record["id"] || gone.Record["post"] != nil {
			t.Errorf("bob is told %s", gone.Raw)
		}
		s.As("ada").Post("another")
		feed.Next()
		bob.Delete("follows", follow)
		if gone := feed.Next(); gone.Action != "delete" || gone.Record["id"] == m.Record["id"] {
			t.Errorf("bob is told %s", gone.Raw)
		}
		feed.ExpectSilence() // the private post's row is gone already
	})
	t.Run("nobody is told of posts that were never theirs to see", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
		secret := ada.Post("for me alone")
		ada.Update("posts", secret, map[string]any{"visibility": "private"})
		hidden := ada.Post("taken out of sight")
		s.Admin().Update("posts", hidden, map[string]any{"hidden": true})
		ada.Post("for followers")
		bob.Follow("ada")
		ada.Update("users", ada.ID, map[string]any{"private": true})
		follower, stranger := bob.Listen("feed/*"), mallory.Listen("feed/*")

		mallory.Delete("follows", mallory.Follow("ada")) // asked and withdrawn
		mallory.Create("mutes", map[string]any{"muted": ada.ID})
		ada.Update("posts", hidden, map[string]any{"visibility": "private"})
		ada.Delete("posts", hidden)
		ada.Delete("posts", secret)
		ada.Create("blocks", map[string]any{"blocked": mallory.ID})
		next := ada.Post("for followers too")
		if m := follower.Next(); m.Action != "create" || m.Record["post"] != next {
			t.Errorf("bob is told %s", m.Raw)
		}
		follower.ExpectSilence()
		stranger.ExpectSilence()
	})
	t.Run("the counts of a post are live for who sees it", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		carol, guest := s.As("carol").Listen("posts/"+post), s.Guest().Listen("posts/"+post)
		s.As("bob").Like(post)
		for _, stream := range []*hookstest.Stream{carol, guest} {
			if m := stream.Next(); m.Action != "update" || m.Record["likesCount"] != 1.0 {
				t.Errorf("a watcher is told %s", m.Raw)
			}
		}
		s.As("ada").Update("posts", post, map[string]any{"visibility": "followers"})
		for _, stream := range []*hookstest.Stream{carol, guest} {
			if m := stream.Next(); m.Action != "delete" || m.Record["id"] != post || m.Record["caption"] != nil {
				t.Errorf("a watcher is told %s", m.Raw)
			}
		}
	})
	t.Run("a request that is withdrawn tells of no posts", func(t *testing.T) {
		s := hookstest.New(t)
		ada, carol := s.As("ada"), s.As("carol")
		ada.Update("users", ada.ID, map[string]any{"private": true})
		ada.Post("for followers")
		request, feed := carol.Follow("ada"), carol.Listen("feed/*")
		carol.Delete("follows", request)
		feed.ExpectSilence()
	})
	t.Run("a block takes posts out of sight", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		bob := s.As("bob").Listen("posts/" + post)
		s.As("ada").Block("bob")
		if m := bob.Next(); m.Action != "delete" {
			t.Errorf("bob is told %s", m.Raw)
		}
	})
	t.Run("a suspended person's streams end", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		stream := ada.Listen("notifications/*")
		s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
		stream.AwaitEnd()
	})
	t.Run("a superuser hears of everybody's", func(t *testing.T) {
		s := hookstest.New(t)
		admin := s.Admin().Listen("notifications/*")
		s.As("bob").Like(s.As("ada").Post("hello"))
		if m := admin.Next(); m.Record["recipient"] != s.User("ada").Id {
			t.Errorf("the superuser is told %s", m.Raw)
		}
	})
	t.Run("what is rolled back is told to nobody", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		post := ada.Post("hello")
		stream := ada.Listen("notifications/*")
		bob.Must(400, "POST", "/api/batch", map[string]any{"requests": []map[string]any{
			{"method": "POST", "url": "/api/collections/likes/records", "body": map[string]any{"post": post}},
			{"method": "POST", "url": "/api/collections/likes/records", "body": map[string]any{"post": "missing00000000"}},
		}})
		bob.Comment(post, "", "this one is stored")
		if m := stream.Next(); m.Record["type"] != "comment" {
			t.Errorf("ada is told %s", m.Raw)
		}
	})
}
