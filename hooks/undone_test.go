package hooks_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/retention"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/testenv"
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
	t.Parallel()
	testenv.SkipSequential(t)
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

// However many rows fail one after the other, those behind them are done.
func TestHundredsOfRowsThatFailKeepNoOtherFromBeingDone(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	items := make([]int, 300)
	for i := range items {
		items[i] = i
	}
	last := -1
	done, err := db.RunInSteps(t.Context(), s.App, items, func(_ core.App, some []int) error {
		if some[0] < 299 {
			return errors.New("poisoned")
		}
		last = some[0]
		return nil
	})
	if done != 1 || last != 299 || err == nil || !strings.Contains(err.Error(), "0: poisoned") || !strings.Contains(err.Error(), "and 294 more") {
		t.Errorf("%d are done, up to %d: %v", done, last, err)
	}
	for i := range 300 {
		storeAged(t, s, agedRows["audit"].forgotten, fmt.Sprintf("aged0000000%04d", i), 5000)
	}
	execSQLWith(t, s, `CREATE TRIGGER poison BEFORE DELETE ON audit WHEN old.id < 'aged00000000298' BEGIN SELECT RAISE(ABORT, 'poisoned'); END`, nil)
	add(t, s, retention.PurgeJob)
	s.RunJobs()
	if n := s.Rows("audit", "true"); n != 298 {
		t.Errorf("%d rows are left, want the 298 that fail", n)
	}
}

// A work goes past more rows that fail than a transaction can look past, in each of its tries, and looks at none of them in those that
// do others.
func TestThousandsOfRowsThatFailKeepNoOtherFromBeingDone(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const poisoned, sound = 10_050, 250
	s := hookstest.New(t)
	execSQLWith(t, s, countingCTE(poisoned+sound)+`INSERT INTO audit (id, action) SELECT printf('audit%010d', i), 'walked' FROM n`, nil)
	part := sweep.DeletePart("audit", `action = 'walked'`)
	part.Order = `ORDER BY id`
	remove, tries, most := part.Do, 0, 0
	part.Do = func(tx core.App, on sweep.Subject, ids []string) error {
		tries++
		most = max(most, len(ids))
		if slices.ContainsFunc(ids, func(id string) bool { return id <= fmt.Sprintf("audit%010d", poisoned) }) {
			return errors.New("poisoned")
		}
		return remove(tx, on, ids)
	}
	behind := sweep.DeletePart("hashtags", `name = 'behind'`)
	kept := sweep.DeletePart("hashtags", `name = 'kept'`).WhenOthersAreDone()
	execSQLWith(t, s, `INSERT INTO hashtags (id, name) VALUES ('behindbehind001', 'behind'), ('keptkeptkept001', 'kept')`, nil)
	work := sweep.Work{Kind: "poisoned", Parts: []sweep.Part{part, behind, kept}}
	err := work.Finish(t.Context(), s.App, nil)
	if err == nil || !strings.Contains(err.Error(), "audit0000000001: ") || !strings.Contains(err.Error(), fmt.Sprintf("and %d more", poisoned-5)) {
		t.Errorf("it says %.300v", err)
	}
	if n := s.Rows("audit", "action = 'walked'"); n != poisoned {
		t.Errorf("%d rows are left, want the %d that fail", n, poisoned)
	}
	if n, left := s.Rows("hashtags", "name = 'behind'"), s.Rows("hashtags", "name = 'kept'"); n != 0 || left != 1 {
		t.Errorf("%d rows of the part behind are left, and %d of the one that waits", n, left)
	}
	if tries > poisoned+sound/2 || most < 50 {
		t.Errorf("it tried %d times, with %d rows at most", tries, most)
	}
}

// A row that fails is not lost when the rows by which it was found go: these wait for it.
func TestARowThatFailsIsFoundAgain(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	parts := slices.Concat(notification.PostParts, sweep.PartsPointingAt("posts"))
	for at, part := range parts {
		t.Run(fmt.Sprint(at, " ", part.From), func(t *testing.T) {
			s := hookstest.New(t)
			id := createLikedPost(t, s)
			execSQLWith(t, s, countingCTE(30)+`INSERT INTO comment_likes (id, user, comment, created, updated) SELECT printf('cl%013d', i), printf('crowd%010d', i), (SELECT id FROM comments LIMIT 1), {:at}, {:at} FROM n`, map[string]any{"at": longAgo})
			execSQLWith(t, s, `INSERT INTO reports (id, reporter, comment, reason, state) SELECT 'report000000001', {:bob}, id, 'spam', 'open' FROM comments LIMIT 1`, map[string]any{"bob": s.As("bob").ID})
			execSQLWith(t, s, `INSERT INTO reports (id, reporter, post, reason, state) VALUES ('report000000002', {:bob}, {:post}, 'spam', 'open')`, map[string]any{"bob": s.As("bob").ID, "post": id})
			s.As("bob").Like(id)
			reply := s.As("carol").Comment(id, s.As("bob").Comment(id, "", "hello"), "hello")
			s.As("bob").Create("comment_likes", map[string]any{"comment": reply})
			s.RunJobs()
			on := sweep.Subject{"id": id, "author": s.As("ada").ID, "user": id, "former": ""}
			find := func() (key string) {
				if _, err := db.QueryValue(s.App, &key, `SELECT id FROM `+part.From+` LIMIT 1`, on.SQLParams(s.App)); err != nil {
					t.Fatal(err)
				}
				return key
			}
			setStepRows(s, 0)
			s.As("ada").Delete("posts", id)
			setStepRows(s, 400)
			key, table := find(), strings.Fields(part.From)[0]
			if key == "" {
				t.Skip("no such rows")
			}
			for _, write := range []string{"UPDATE", "DELETE"} {
				execSQLWith(t, s, `CREATE TRIGGER poison_`+write+` BEFORE `+write+` ON `+table+` WHEN old.id = '`+key+`' BEGIN SELECT RAISE(ABORT, 'poisoned'); END`, nil)
			}
			s.RunJobs()
			if n := s.Rows("jobs", "error LIKE '%poisoned%'"); n != 1 {
				t.Fatalf("%d jobs say that it failed", n)
			}
			if s.Rows("likes", "true")+s.Rows("saves", "true") > 1 {
				t.Error("others wait for it that need not")
			}
			if find() != key {
				t.Error("it is not found again")
			}
			for _, write := range []string{"UPDATE", "DELETE"} {
				execSQLWith(t, s, `DROP TRIGGER poison_`+write, nil)
			}
			s.Advance(2 * time.Minute)
			s.RunJobs()
			if left := pointingRows(t, s, "posts", id); len(left) != 0 || find() != "" || s.Rows("comments", "post = '"+id+"'")+s.Rows("jobs", "true") != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
