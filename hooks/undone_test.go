package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/retention"
	"github.com/doubletap/doubletap/internal/search"
)

// undone are the works that go through many rows. Each seeds its rows and begins, and says which writes are to fail, as BEFORE … ON
// table WHEN condition, and how the rows are found that are not done.
var undone = map[string]func(t *testing.T, s *hookstest.Service) (fails, left string){
	"requests to follow": func(t *testing.T, s *hookstest.Service) (string, string) {
		bob := s.As("bob")
		bob.Update("users", bob.ID, map[string]any{"private": true})
		for _, name := range []string{"ada", "carol", "dave"} {
			s.As(name).Follow("bob")
		}
		bob.Update("users", bob.ID, map[string]any{"private": false})
		return `UPDATE ON follows WHEN old.follower = '` + s.As("ada").ID + `'`, `follows WHERE state = 'pending'`
	},
	"stories that are over": func(t *testing.T, s *hookstest.Service) (string, string) {
		first := s.As("ada").Story()
		s.As("bob").Story()
		s.As("carol").Story()
		s.Advance(25 * time.Hour)
		add(t, s, "story.expire")
		return `DELETE ON stories WHEN old.id = '` + first + `'`, `stories`
	},
	"likes of a post that is gone": func(t *testing.T, s *hookstest.Service) (string, string) {
		id := s.As("ada").Post("hello")
		like := s.As("bob").Like(id)
		s.As("carol").Like(id)
		s.As("dave").Like(id)
		s.As("ada").Delete("posts", id)
		return `DELETE ON likes WHEN old.id = '` + like + `'`, `likes`
	},
	"posts of an account that is erased": func(t *testing.T, s *hookstest.Service) (string, string) {
		first := s.As("ada").Post("one")
		s.As("ada").Post("two")
		s.As("ada").Post("three")
		s.As("ada").Delete("users", s.As("ada").ID)
		return `DELETE ON posts WHEN old.id = '` + first + `'`, `posts`
	},
	"rows that are kept long enough": func(t *testing.T, s *hookstest.Service) (string, string) {
		for i := range 3 {
			storeAged(t, s, agedRows["audit"].forgotten, fmt.Sprintf("aged0000000000%d", i), 5000)
			storeAged(t, s, agedRows["reports"].forgotten, fmt.Sprintf("aged0000000001%d", i), 5000)
		}
		add(t, s, retention.PurgeJob)
		return `DELETE ON reports WHEN old.id = 'aged00000000010'`, `(SELECT created FROM reports UNION ALL SELECT created FROM audit) WHERE created < '2024'`
	},
	"a tray that is read": func(t *testing.T, s *hookstest.Service) (string, string) {
		var latest any
		for _, text := range []string{"one", "two", "three"} {
			s.As("bob").Like(s.As("ada").Post(text))
		}
		latest = s.As("ada").List("notifications", "sort=-latestAt")[0]["latestAt"]
		s.As("ada").Must(204, "POST", "/api/v1/notifications/read", map[string]any{"before": latest})
		return `UPDATE ON notifications WHEN old.latestAt = '` + latest.(string) + `'`, `notifications WHERE read = 0`
	},
	"bells": func(t *testing.T, s *hookstest.Service) (string, string) {
		for n := range 3 {
			turnBellOn(s.Someone(n), "ada")
		}
		s.As("ada").Post("hello")
		return `INSERT ON notifications WHEN new.recipient = '` + s.Someone(0).ID + `'`,
			`follows WHERE notify AND follower NOT IN (SELECT recipient FROM notifications WHERE type = 'post')`
	},
	"hashtags of before": func(t *testing.T, s *hookstest.Service) (string, string) {
		s.As("ada").Post("#one #two #three")
		execSQLWith(t, s, `UPDATE hashtags SET displayName = ''`, nil)
		add(t, s, post.Folding.Kind)
		return `UPDATE ON hashtags WHEN old.name = 'one'`, `hashtags WHERE displayName = ''`
	},
	"captions": func(t *testing.T, s *hookstest.Service) (string, string) {
		first := s.As("ada").Post("#one")
		s.As("ada").Post("#two")
		s.As("ada").Post("#three")
		execSQLWith(t, s, `DELETE FROM post_tags`, nil)
		add(t, s, post.RetagJob)
		return `INSERT ON post_tags WHEN new.post = '` + first + `'`, `posts WHERE id NOT IN (SELECT post FROM post_tags)`
	},
	"the index of the search": func(t *testing.T, s *hookstest.Service) (string, string) {
		execSQLWith(t, s, `UPDATE search_users SET words = NULL`, nil)
		add(t, s, search.IndexJob)
		return `UPDATE ON search_users WHEN old.id = '` + s.As("carol").ID + `'`, `search_users WHERE words IS NULL`
	},
	"reports of the same": func(t *testing.T, s *hookstest.Service) (string, string) {
		id := s.As("ada").Post("hello")
		for _, name := range []string{"bob", "carol", "dave"} {
			s.As(name).Create("reports", map[string]any{"post": id, "reason": "spam"})
		}
		s.Admin().Must(204, "POST", "/api/v1/moderation/"+s.Admin().List("reports", "filter=reporter='"+s.As("dave").ID+"'")[0]["id"].(string), map[string]any{"action": "dismiss"})
		return `UPDATE ON reports WHEN old.reporter = '` + s.As("bob").ID + `'`, `reports WHERE state = 'open'`
	},
}

func add(t *testing.T, s *hookstest.Service, kind string) {
	t.Helper()
	if err := job.Enqueue(s.App, kind, struct{}{}); err != nil {
		t.Fatal(err)
	}
}

// A row that cannot be done keeps no other from being done. The job says which it is, and does it when it can be done.
func TestARowThatFailsKeepsNoOtherFromBeingDone(t *testing.T) {
	for name, begin := range undone {
		t.Run(name, func(t *testing.T) {
			s := hookstest.New(t)
			setStepRows(s, 0) // all is left to jobs
			fails, left := begin(t, s)
			setStepRows(s, 100)
			rows := func() int {
				t.Helper()
				table, condition, _ := strings.Cut(left, " WHERE ")
				if condition == "" {
					condition = "1"
				}
				return s.Rows(table, condition)
			}
			if n := rows(); n < 2 {
				t.Fatalf("%d rows are to be done, want several", n)
			}
			execSQLWith(t, s, `CREATE TRIGGER poison BEFORE `+fails+` BEGIN SELECT RAISE(ABORT, 'poisoned'); END`, nil)
			s.RunJobs()
			if n := rows(); n != 1 {
				t.Errorf("%d rows are not done, want the one that fails", n)
			}
			if n := s.Rows("jobs", "state = 'ready' AND error LIKE '%poisoned%'"); n != 1 {
				t.Errorf("%d jobs say what failed, want 1", n)
			}
			execSQLWith(t, s, `DROP TRIGGER poison`, nil)
			s.Advance(2 * time.Minute)
			s.RunJobs()
			if n := rows(); n != 0 {
				t.Errorf("%d rows are not done at last", n)
			}
		})
	}
}
