package main

import (
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

func TestOwner(t *testing.T) {
	t.Run("a veto is the client's answer and leaves nothing behind", func(t *testing.T) {
		s := hookstest.New(t, Extend)
		ada := s.As("ada")
		post := ada.Post("hello")
		ada.Update("users", ada.ID, map[string]any{"likesOff": true})
		a := s.As("bob").Must(403, "POST", "/api/collections/likes/records", map[string]any{"post": post})
		if a.Body["message"] != "This user takes no likes." {
			t.Errorf("bob is told %v", a.Body["message"])
		}
		s.ExpectTray("ada")
		if n := s.Record("posts", post).GetInt("likesCount"); n != 0 {
			t.Errorf("likesCount is %d", n)
		}
	})
	t.Run("a quiet user hears of comments only", func(t *testing.T) {
		s := hookstest.New(t, Extend)
		ada := s.As("ada")
		post := ada.Post("hello")
		ada.Update("users", ada.ID, map[string]any{"quiet": true})
		s.As("bob").Like(post)
		s.As("bob").Comment(post, "", "nice")
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
	})
	t.Run("a club's wall is its members'", func(t *testing.T) {
		s := hookstest.New(t, Extend)
		if n := len(s.Someone(1).List("clubs", "")); n != 1 {
			t.Errorf("a member sees %d clubs, want 1", n)
		}
		if n := len(s.Guest().List("clubs", "")); n != 0 {
			t.Errorf("a guest sees %d clubs", n)
		}
		s.Someone(1).Must(400, "GET", "/api/collections/clubs/records?filter=memberOf(id,id)=true", nil)
	})
}
