package hooks_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestFollow(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("a public account is followed at once", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("before")
		follow := s.As("bob").Follow("ada")
		if got := s.Record("follows", follow).GetString("state"); got != "accepted" {
			t.Errorf("state is %s, want accepted", got)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "follow", Actors: 1})
		if s.User("ada").GetInt("followersCount") != 1 || s.User("bob").GetInt("followingCount") != 1 {
			t.Error("the counts are wrong")
		}
		if feed := s.As("bob").List("feed", ""); len(feed) != 1 || feed[0]["post"] != post {
			t.Errorf("bob's feed is %v, want ada's post", feed)
		}
		s.As("bob").Delete("follows", follow)
		s.ExpectTray("ada")
		if s.User("ada").GetInt("followersCount") != 0 || s.User("bob").GetInt("followingCount") != 0 {
			t.Error("the counts are wrong after the unfollow")
		}
		if feed := s.As("bob").List("feed", ""); len(feed) != 0 {
			t.Errorf("bob's feed is %v, want nothing", feed)
		}
	})
	t.Run("a private account is asked first", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		ada.Update("users", ada.ID, map[string]any{"private": true})
		ada.Post("for followers")
		follow := bob.Follow("ada")
		s.ExpectTray("ada", hookstest.Notification{Type: "follow_request", Actors: 1})
		if s.User("ada").GetInt("followersCount") != 0 {
			t.Error("a request counts as a follower")
		}
		s.As("carol").Must(404, "GET", "/api/collections/follows/records/"+follow, nil)
		bob.Must(404, "PATCH", "/api/collections/follows/records/"+follow, map[string]any{"state": "accepted"})
		ada.Must(404, "PATCH", "/api/collections/follows/records/"+follow, map[string]any{"state": "accepted", "notify": true})
		ada.Update("follows", follow, map[string]any{"state": "accepted"})
		s.ExpectTray("ada")
		s.ExpectTray("bob", hookstest.Notification{Type: "follow_accepted", Actors: 1})
		if s.User("ada").GetInt("followersCount") != 1 {
			t.Error("the accepted follow is not counted")
		}
		if feed := bob.List("feed", ""); len(feed) != 1 {
			t.Errorf("bob's feed is %v, want one post", feed)
		}
	})
	t.Run("an account that opens accepts who asked", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		ada.Update("users", ada.ID, map[string]any{"private": true})
		ada.Post("hello")
		for _, name := range []string{"bob", "carol", "dave"} {
			s.As(name).Follow("ada")
		}
		ada.Update("users", ada.ID, map[string]any{"private": false})
		s.RunJobs()
		if got := s.User("ada").GetInt("followersCount"); got != 3 {
			t.Errorf("followersCount is %d, want 3", got)
		}
		s.ExpectTray("carol", hookstest.Notification{Type: "follow_accepted", Actors: 1})
		s.ExpectTray("ada")
		if feed := s.As("dave").List("feed", ""); len(feed) != 1 {
			t.Errorf("dave's feed is %v, want one post", feed)
		}
	})
	t.Run("nobody follows themselves or in another's name", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		bob.Must(400, "POST", "/api/collections/follows/records", map[string]any{"followee": bob.ID})
		bob.Must(400, "POST", "/api/collections/follows/records", map[string]any{"followee": s.User("ada").Id, "follower": s.User("carol").Id})
	})
}

func TestBlock(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	bob.Follow("ada")
	ada.Follow("bob")
	like := bob.Like(post)
	bob.Comment(post, "", "x")
	s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1}, hookstest.Notification{Type: "like", Actors: 1}, hookstest.Notification{Type: "follow", Actors: 1})

	block := ada.Block("bob")
	s.ExpectTray("ada")
	s.ExpectTray("bob")
	if n := s.Rows("follows", "1"); n != 0 {
		t.Errorf("%d follows are left, want none", n)
	}
	if s.User("ada").GetInt("followersCount") != 0 || s.User("ada").GetInt("followingCount") != 0 {
		t.Error("the counts are wrong")
	}
	if p := s.Record("posts", post); p.GetInt("likesCount") != 1 || p.GetInt("commentsCount") != 1 {
		t.Error("the like and the comment do not count any more")
	}
	if n := len(ada.List("likes", "")); n != 0 {
		t.Errorf("ada sees %d likes of whom she blocked", n)
	}
	bob.Must(404, "GET", "/api/collections/posts/records/"+post, nil)
	bob.Must(404, "GET", "/api/collections/users/records/"+ada.ID, nil)
	ada.Must(200, "GET", "/api/collections/users/records/"+bob.ID, nil)
	if n := len(bob.List("blocks", "")); n != 0 {
		t.Error("bob sees the block")
	}
	bob.Must(400, "POST", "/api/collections/follows/records", map[string]any{"followee": ada.ID})
	bob.Delete("likes", like) // a like of one's own can always be taken back

	ada.Delete("blocks", block)
	bob.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	if n := len(ada.List("comments", "")); n != 1 {
		t.Errorf("ada sees %d comments after the unblock, want 1", n)
	}
	if n := s.Rows("follows", "1"); n != 0 {
		t.Error("a follow came back with the unblock")
	}
}

func TestMute(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	mute := func(s *hookstest.Service, who string, fields map[string]any) string {
		return s.As(who).Create("mutes", fields).ID()
	}
	t.Run("a muted person's likes are recorded and not told, also later", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		id := mute(s, "ada", map[string]any{"muted": s.User("bob").Id})
		s.As("bob").Like(post)
		s.ExpectTray("ada")
		if n := s.Rows("notification_events", "active = 1"); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		s.As("ada").Delete("mutes", id)
		s.ExpectTray("ada")
		s.As("carol").Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("a mute ends", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		mute(s, "ada", map[string]any{"post": post, "until": time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")})
		s.As("bob").Like(post)
		s.ExpectTray("ada")
		s.Advance(2 * time.Hour)
		s.As("carol").Like(post)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	})
	t.Run("keepNotifications keeps them and clears the feed", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("ada").Follow("bob")
		s.As("bob").Post("hello")
		mute(s, "ada", map[string]any{"muted": s.User("bob").Id, "keepNotifications": true})
		if n := len(s.As("ada").List("feed", "")); n != 0 {
			t.Errorf("%d rows of a muted person in the feed", n)
		}
		s.As("bob").Like(s.As("ada").Post("mine"))
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
		s.As("bob").Post("another")
		if n := len(s.As("ada").List("feed", "")); n != 1 {
			t.Errorf("%d rows in the feed, want ada's own", n)
		}
	})
	t.Run("a mute names a person or a post, not both, not oneself", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("hello")
		for _, body := range []map[string]any{{}, {"muted": ada.ID}, {"muted": s.User("bob").Id, "post": post}} {
			ada.Must(400, "POST", "/api/collections/mutes/records", body)
		}
	})
}

func TestRelationshipAndEdgesAreShown(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	ada.Post("another")
	like := bob.Like(post)
	save := bob.Create("saves", map[string]any{"post": post}).ID()
	bob.Follow("ada")
	rows := bob.List("feed", "sort=at&expand=post.author")
	expand := rows[0]["expand"].(map[string]any)["post"].(map[string]any)
	if expand["liked"] != like || expand["saved"] != save {
		t.Errorf("liked %v saved %v, want %s %s", expand["liked"], expand["saved"], like, save)
	}
	if rows[0]["author"] != ada.ID || expand["author"] != ada.ID {
		t.Error("what is expanded is not shown by its id")
	}
	author := expand["expand"].(map[string]any)["author"].(map[string]any)
	if got := fmt.Sprint(author["relationship"]); got != "map[blocking:false following:true followsMe:false muting:false requested:false]" {
		t.Errorf("relationship is %s", got)
	}
	for _, item := range s.Guest().List("posts", "") {
		if item["liked"] != "" || item["saved"] != "" {
			t.Errorf("a guest is shown liked %v", item["liked"])
		}
	}
}

// TestABackRelationIsShownWhereItIsExpanded asks as a superuser, who alone may expand one: PocketBase keeps its ids with
// the record, beside what is added for the viewer.
func TestABackRelationIsShownWhereItIsExpanded(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	comment := s.As("bob").Comment(post, "", "hello")
	for _, name := range []string{"comments_via_post", "comments(post)"} {
		body := s.Admin().Must(200, "GET", "/api/collections/posts/records/"+post+"?expand="+name, nil).Body
		if _, is := body[name]; is {
			t.Errorf("the post has %s beside its fields: %v", name, body)
		}
		comments, _ := body["expand"].(map[string]any)[name].([]any)
		if len(comments) != 1 || comments[0].(map[string]any)["id"] != comment {
			t.Errorf("%s is expanded to %v, want %s", name, comments, comment)
		}
	}
}

// A request that is accepted while it is withdrawn does not become a follow, and nothing follows from it.
func TestAcceptingWhatIsWithdrawn(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	ada.Update("users", ada.ID, map[string]any{"private": true})
	ada.Post("for followers")
	follow := bob.Follow("ada")
	s.App.OnRecordUpdate("follows").BindFunc(func(e *core.RecordEvent) error {
		if err := s.App.Delete(s.Record("follows", follow)); err != nil { // after the record was read, before the transaction
			return err
		}
		return e.Next()
	})
	ada.Must(404, "PATCH", "/api/collections/follows/records/"+follow, map[string]any{"state": "accepted"})
	if n := s.Rows("feed", "viewer = '"+bob.ID+"'"); n != 0 {
		t.Errorf("%d rows in bob's feed", n)
	}
	s.ExpectTray("bob")
}
