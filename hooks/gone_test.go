package hooks_test

import (
	"encoding/json"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// postUpload returns a post with an id that the client chooses.
func postUpload(id string) *hookstest.Upload {
	return &hookstest.Upload{Fields: map[string]string{"id": id, "caption": "hello"}, Files: map[string][]byte{"photos": hookstest.Photo()}}
}

func TestGoneIDs(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const posts, comments = "/api/collections/posts/records", "/api/collections/comments/records"
	s := hookstest.New(t)
	ada, mallory := s.As("ada"), s.As("mallory")
	public := ada.Post("hello")
	malformed := mallory.Must(400, "POST", comments, jsonObject{"id": "MALFORMED000000", "post": public, "text": "hello"}).Raw
	gone := func(t *testing.T, id string) {
		t.Helper()
		if answer := mallory.Must(400, "POST", comments, jsonObject{"id": id, "post": public, "text": "hello"}); answer.Raw != malformed {
			t.Errorf("the answer is %s, want that to a malformed id, %s", answer.Raw, malformed)
		}
		if answer := mallory.Must(400, "POST", posts, postUpload(id)); answer.Raw != malformed {
			t.Errorf("the answer is %s, want that to a malformed id, %s", answer.Raw, malformed)
		}
	}
	t.Run("what is deleted by request", func(t *testing.T) {
		post, comment, story := ada.Post("hello"), ada.Comment(public, "", "hello"), ada.Story()
		ada.Delete("posts", post)
		ada.Delete("comments", comment)
		ada.Delete("stories", story)
		for _, id := range []string{post, comment, story} {
			gone(t, id)
		}
	})
	t.Run("what goes with something else", func(t *testing.T) {
		post := ada.Post("hello")
		comment := mallory.Comment(post, "", "hello")
		ada.Delete("posts", post)
		gone(t, comment)
	})
	t.Run("what is deleted by a statement", func(t *testing.T) {
		comment := mallory.Comment(public, "", "hello")
		if _, err := s.App.DB().NewQuery("DELETE FROM comments WHERE id = '" + comment + "'").Execute(); err != nil {
			t.Fatal(err)
		}
		gone(t, comment)
	})
	t.Run("an account and what was of it", func(t *testing.T) {
		dave := s.As("dave")
		post, comment := dave.Post("hello"), dave.Comment(public, "", "hello")
		dave.Delete("users", dave.ID)
		s.RunJobs()
		for _, id := range []string{dave.ID, post, comment} {
			gone(t, id)
		}
	})
	t.Run("what is there and out of sight", func(t *testing.T) {
		private := ada.Post("mine", "visibility", "private")
		if answer := mallory.Must(400, "POST", posts, postUpload(private)); answer.Raw != malformed {
			t.Errorf("the answer is %s, want that to a malformed id, %s", answer.Raw, malformed)
		}
	})
	t.Run("an edge comes back under its id", func(t *testing.T) {
		like := mallory.Like(public)
		mallory.Delete("likes", like)
		if again := mallory.Like(public); again != like {
			t.Errorf("the like is %s, want %s again", again, like)
		}
	})
	t.Run("one's own id that is taken is said to be, once its first request is forgotten", func(t *testing.T) {
		first := mallory.Create("posts", postUpload("mallorys0000001")).ID()
		execSQLWith(t, s, "DELETE FROM idempotency", nil)
		var again struct {
			Data struct{ ID struct{ Code string } }
		}
		answer := mallory.Must(400, "POST", posts, postUpload(first))
		if err := json.Unmarshal([]byte(answer.Raw), &again); err != nil || again.Data.ID.Code != "validation_not_unique" {
			t.Errorf("the answer is %s, want that the id is not unique, as a retry must hear", answer.Raw)
		}
	})
	t.Run("nobody but a superuser chooses a user's id", func(t *testing.T) {
		body := func(email, id string) jsonObject {
			return jsonObject{"id": id, "email": email + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password}
		}
		for who, c := range map[string]*hookstest.Client{"guest": s.Guest(), "user": mallory} {
			if id := c.Create("users", body(who, "chosen000000001")).ID(); id == "chosen000000001" {
				t.Errorf("a %s has chosen the id of a user", who)
			}
		}
		if id := s.Admin().Create("users", body("third", "chosen000000002")).ID(); id != "chosen000000002" {
			t.Errorf("the superuser's choice became %s", id)
		}
	})
}

func TestUpsert(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob := s.As("bob")
	post := s.As("ada").Post("hello")
	batch := func(requests ...jsonObject) hookstest.Answer {
		return bob.Do("POST", "/api/batch", jsonObject{"requests": requests})
	}
	put := func(collection string, body jsonObject) jsonObject {
		return jsonObject{"method": "PUT", "url": "/api/collections/" + collection + "/records", "body": body}
	}
	t.Run("a row of one's own is changed", func(t *testing.T) {
		comment := bob.Comment(post, "", "hello")
		if answer := batch(put("comments", jsonObject{"id": comment, "text": "changed"})); answer.Status != 200 {
			t.Fatalf("status %d: %s", answer.Status, answer.Raw)
		}
		if got := s.Record("comments", comment).GetString("text"); got != "changed" {
			t.Errorf("the text is %q", got)
		}
	})
	t.Run("what the same batch has created is changed", func(t *testing.T) {
		answer := batch(put("comments", jsonObject{"id": "bobscomment0001", "post": post, "text": "hello"}), put("comments", jsonObject{"id": "bobscomment0001", "text": "changed"}))
		if answer.Status != 200 || s.Record("comments", "bobscomment0001").GetString("text") != "changed" {
			t.Errorf("status %d: %s", answer.Status, answer.Raw)
		}
	})
	t.Run("a row that one sees and may not change is 404", func(t *testing.T) {
		comment := s.As("ada").Comment(post, "", "hello")
		if answer := batch(put("comments", jsonObject{"id": comment, "post": post, "text": "changed"})); answer.Status != 400 || s.Record("comments", comment).GetString("text") != "hello" {
			t.Errorf("status %d: %s", answer.Status, answer.Raw)
		}
	})
	t.Run("an edge of somebody else's becomes one's own", func(t *testing.T) {
		save := s.As("ada").Create("saves", jsonObject{"post": post}).ID()
		answer := batch(put("saves", jsonObject{"id": save, "post": post}))
		if answer.Status != 200 || s.Rows("saves", "user = {:u}", jsonObject{"u": bob.ID}) != 1 || s.Record("saves", save).GetString("user") == bob.ID {
			t.Errorf("status %d: %s", answer.Status, answer.Raw)
		}
	})
}
