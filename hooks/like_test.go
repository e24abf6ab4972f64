package hooks_test

import (
	"sync"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestLike(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")

	like := bob.Like(post)
	if got := s.Record("posts", post).GetInt("likesCount"); got != 1 {
		t.Errorf("likesCount is %d, want 1", got)
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
	if again := bob.Like(post); again != like {
		t.Errorf("a second like is %s, want the first, %s", again, like)
	}

	bob.Delete("likes", like)
	s.ExpectTray("ada")
	bob.Must(404, "DELETE", "/api/collections/likes/records/"+like, nil)
	if got := s.Record("posts", post).GetInt("likesCount"); got != 0 {
		t.Errorf("likesCount is %d after the unlike, want 0", got)
	}
	if n := len(s.Mails()); n != 0 {
		t.Errorf("%d mails, want none", n)
	}
}

func TestLikeOfOnesOwnIsCountedAndToldNobody(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("me")
	ada.Like(post)
	s.ExpectTray("ada")
	if got := s.Record("posts", post).GetInt("likesCount"); got != 1 {
		t.Errorf("likesCount is %d, want 1", got)
	}
}

func TestTwentyLikesAtOnceAreOne(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	bob := s.As("bob")
	var all sync.WaitGroup
	answers := make([]hookstest.Answer, 20)
	for i := range answers {
		all.Go(func() {
			answers[i] = bob.Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.Status != 200 || a.ID() != answers[0].ID() {
			t.Fatalf("an answer is %d %s", a.Status, a.Raw)
		}
	}
	if n := s.Rows("likes", "1"); n != 1 {
		t.Errorf("%d likes, want 1", n)
	}
	if got := s.Record("posts", post).GetInt("likesCount"); got != 1 {
		t.Errorf("likesCount is %d, want 1", got)
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
}
