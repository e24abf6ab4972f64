package hooks_test

import (
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestComments(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("a comment is counted and its post's author is told", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		s.As("bob").Comment(post, "", "nice")
		if got := s.Record("posts", post).GetInt("commentsCount"); got != 1 {
			t.Errorf("commentsCount is %d, want 1", got)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
	})
	t.Run("a reply to a reply is stored under the root and told to whom it answers", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		root := s.As("bob").Comment(post, "", "root")
		reply := s.As("carol").Comment(post, root, "reply")
		deep := s.As("dave").Comment(post, reply, "reply to the reply")
		if got := s.Record("comments", deep).GetString("parent"); got != root {
			t.Errorf("parent is %q, want the root %q", got, root)
		}
		if got := s.Record("comments", root).GetInt("repliesCount"); got != 2 {
			t.Errorf("repliesCount is %d, want 2", got)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 3})
		s.ExpectTray("bob", hookstest.Notification{Type: "reply", Actors: 1})
		s.ExpectTray("carol", hookstest.Notification{Type: "reply", Actors: 1})
	})
	t.Run("an actor leaves the group with the last comment", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		bob := s.As("bob")
		first, second := bob.Comment(post, "", "one"), bob.Comment(post, "", "two")
		bob.Delete("comments", second)
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
		tray := s.As("ada").List("notifications", "")
		if tray[0]["comment"] != first {
			t.Errorf("the notification shows %v, want the comment that is left, %s", tray[0]["comment"], first)
		}
		bob.Delete("comments", first)
		s.ExpectTray("ada")
		if got := s.Record("posts", post).GetInt("commentsCount"); got != 0 {
			t.Errorf("commentsCount is %d, want 0", got)
		}
	})
	t.Run("a comment with replies leaves a tombstone", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		bob := s.As("bob")
		root := bob.Comment(post, "", "root")
		s.As("carol").Comment(post, root, "reply")
		s.As("eve").Create("comment_likes", map[string]any{"comment": root})
		s.ExpectTray("bob", hookstest.Notification{Type: "comment_like", Actors: 1}, hookstest.Notification{Type: "reply", Actors: 1})
		bob.Delete("comments", root)
		stone := s.Record("comments", root)
		if stone == nil || !stone.GetBool("deleted") || stone.GetString("text") != "" || stone.GetString("author") != "" {
			t.Fatalf("no tombstone: %v", stone)
		}
		if got := s.Record("posts", post).GetInt("commentsCount"); got != 2 {
			t.Errorf("commentsCount is %d, want 2: a tombstone counts", got)
		}
		if n := s.Rows("comment_likes", "1"); n != 0 {
			t.Errorf("%d likes of the tombstone, want none", n)
		}
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
		s.As("dave").Must(400, "POST", "/api/collections/comments/records", map[string]any{"post": post, "parent": root, "text": "late"})
	})
	t.Run("the post's author may delete a comment, others may not", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("hello")
		comment := s.As("bob").Comment(post, "", "spam")
		s.As("carol").Must(404, "DELETE", "/api/collections/comments/records/"+comment, nil)
		ada.Delete("comments", comment)
	})
	t.Run("where comments are off there are none", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello", "commentsOff", "true")
		s.As("bob").Must(400, "POST", "/api/collections/comments/records", map[string]any{"post": post, "text": "x"})
	})
	t.Run("a comment without words is refused, also later", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		bob := s.As("bob")
		bob.Must(400, "POST", "/api/collections/comments/records", map[string]any{"post": post, "text": "  "})
		id := bob.Comment(post, "", "x")
		bob.Must(400, "PATCH", "/api/collections/comments/records/"+id, map[string]any{"text": ""})
	})
	t.Run("a like of a comment comes and goes", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		comment := s.As("bob").Comment(post, "", "x")
		like := s.As("carol").Create("comment_likes", map[string]any{"comment": comment}).ID()
		s.ExpectTray("bob", hookstest.Notification{Type: "comment_like", Actors: 1})
		if got := s.Record("comments", comment).GetInt("likesCount"); got != 1 {
			t.Errorf("likesCount is %d, want 1", got)
		}
		s.As("carol").Delete("comment_likes", like)
		s.ExpectTray("bob")
	})
}

func TestMentions(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("a caption names somebody", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("with @bob and @nobody")
		s.ExpectTray("bob", hookstest.Notification{Type: "mention", Actors: 1})
		ada.Update("posts", post, map[string]any{"caption": "with @carol"})
		s.ExpectTray("bob")
		s.ExpectTray("carol", hookstest.Notification{Type: "mention", Actors: 1})
	})
	t.Run("who may not see the post is not told", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("ada").Post("secret of @bob", "visibility", "private")
		s.ExpectTray("bob")
	})
	t.Run("one comment tells one person once", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		root := s.As("bob").Comment(post, "", "root")
		s.As("carol").Comment(post, root, "@ada @bob @dave")
		s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 2})
		s.ExpectTray("bob", hookstest.Notification{Type: "reply", Actors: 1})
		s.ExpectTray("dave", hookstest.Notification{Type: "mention", Actors: 1})
	})
	t.Run("an edit that drops the name takes it back unless it is still said elsewhere", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		bob := s.As("bob")
		one, two := bob.Comment(post, "", "@carol"), bob.Comment(post, "", "again @carol")
		bob.Update("comments", one, map[string]any{"text": "nobody"})
		s.ExpectTray("carol", hookstest.Notification{Type: "mention", Actors: 1})
		bob.Delete("comments", two)
		s.ExpectTray("carol")
	})
	t.Run("hashtags follow the caption", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post := ada.Post("#Sunset #sea")
		ada.Update("posts", post, map[string]any{"caption": "#sea"})
		if n := s.Rows("post_tags", "1"); n != 1 {
			t.Errorf("%d tags, want 1", n)
		}
		if n := s.Rows("hashtags", "name = 'sea' AND postsCount = 1 OR name = 'sunset' AND postsCount = 0"); n != 2 {
			t.Errorf("the hashtags' counts are wrong")
		}
	})
}
