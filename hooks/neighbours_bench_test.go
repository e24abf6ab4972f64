package hooks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/retention"
)

// BenchmarkNeighbours measures how long the 99th of 100 likes takes while somebody else's thousands of rows are
// removed or accepted, and how long it takes alone. What counts is the ratio: at most 3.
func BenchmarkNeighbours(b *testing.B) {
	const people, shared = 5000, 50_000
	s := hookstest.New(b)
	db.SetPace(s.App, db.Usual)
	storePeople(b, s, people)
	storePosts(b, s, shared)
	crowd := newLikerCrowd(b, s, people, shared)
	s.As("bob").Update("users", s.As("bob").ID, map[string]any{"private": true})
	post := s.As("ada").Post("hello")
	ada, bob, carol := s.User("ada").Id, s.User("bob").Id, s.User("carol").Id
	execSQLWith(b, s, countingCTE(20_000)+`INSERT INTO likes (id, post, user, created) SELECT printf('m%014d', i), {:post}, printf('liker%010d', i), {:at} FROM n`, map[string]any{"post": post, "at": longAgo})
	execSQLWith(b, s, countingCTE(20_000)+`INSERT INTO notification_events (id, recipient, actor, type, subject, created) SELECT printf('e%014d', i), {:ada}, printf('liker%010d', i), 'like', {:post}, {:at} FROM n`,
		map[string]any{"post": post, "ada": ada, "at": longAgo})
	execSQLWith(b, s, countingCTE(300_000)+`INSERT INTO retractions (id, recipient, seq, created) SELECT printf('r%014d', i), {:ada}, i, {:at} FROM n`, map[string]any{"ada": ada, "at": longAgo})
	execSQLWith(b, s, countingCTE(shared)+`INSERT INTO likes (id, post, user, created) SELECT printf('c%014d', i), printf('share%010d', i), {:carol}, {:at} FROM n`, map[string]any{"carol": carol, "at": longAgo})
	execSQLWith(b, s, countingCTE(people)+`INSERT INTO follows (id, follower, followee, state, created) SELECT printf('f%014d', i), printf('crowd%010d', i), {:bob}, 'pending', {:at} FROM n`, map[string]any{"bob": bob, "at": longAgo})
	drain := func() {
		if _, err := s.Social.DrainJobs(context.Background()); err != nil {
			b.Error(err)
		}
	}
	for b.Loop() {
		crowd.likeDuring(func() {}) // caches
		alone := crowd.likeDuring(func() {})
		b.Logf("likes alone: p99 %v", alone)
		for _, c := range []struct {
			name, unit string
			do         func()
		}{
			{"a post with 20,000 likes is deleted", "x-post", func() { s.As("ada").Delete("posts", post) }},
			{"300,000 rows are purged", "x-purge", func() {
				if err := job.Enqueue(s.App, retention.PurgeJob, nil); err != nil {
					b.Error(err)
				}
			}},
			{"5,000 pending requests are accepted", "x-requests", func() { s.As("bob").Update("users", bob, map[string]any{"private": false}) }},
			{"an account with 50,000 likes is erased", "x-account", func() { s.As("carol").Delete("users", carol) }},
			{"a reconciliation looks at everything, for 20 seconds of its minutes", "x-reconciliation", func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				if err := reconcile.RunHourly(ctx, s.App, func(*reconcile.Result) {}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					b.Error(err)
				}
			}},
		} {
			began := time.Now()
			p99 := crowd.likeDuring(func() { c.do(); drain() })
			b.Logf("%s, in %.1f s: p99 %v, %.1f times", c.name, time.Since(began).Seconds(), p99, p99.Seconds()/alone.Seconds())
			b.ReportMetric(p99.Seconds()/alone.Seconds(), c.unit)
		}
	}
	for table, condition := range map[string]string{"likes": "post = '" + post + "' OR user = '" + carol + "'", "retractions": "recipient = '" + ada + "'", "follows": "state = 'pending'", "users": "id = '" + carol + "'"} {
		if n := s.Rows(table, condition); n != 0 {
			b.Errorf("%d rows of %s are left", n, table)
		}
	}
}

func countingCTE(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, n)
}

// storePosts stores posts of the crowd. Their ids are "share" and ten digits.
func storePosts(b *testing.B, s *hookstest.Service, n int) {
	execSQLWith(b, s, countingCTE(n)+`INSERT INTO posts (id, author, photos, visibility, created, updated) SELECT printf('share%010d', i), printf('crowd%010d', 1 + i % 2000), '["a.jpg"]', 'public', {:at}, {:at} FROM n`,
		map[string]any{"at": longAgo})
}

// likerCrowd are people who like posts, each pair once.
type likerCrowd struct {
	url      string
	tokens   []string
	posts    int
	client   *http.Client
	nextLike atomic.Int64
	b        *testing.B
}

func newLikerCrowd(b *testing.B, s *hookstest.Service, people, posts int) *likerCrowd {
	l := &likerCrowd{url: s.URL, posts: posts, b: b, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	users := []*core.Record{}
	if err := s.App.RecordQuery("users").OrderBy("id").Limit(int64(people)).All(&users); err != nil {
		b.Fatal(err)
	}
	for _, user := range users {
		if strings.HasPrefix(user.Id, "crowd") {
			token, err := user.NewAuthToken()
			if err != nil {
				b.Fatal(err)
			}
			l.tokens = append(l.tokens, token)
		}
	}
	return l
}

// fewest is how many likes a figure is of, at least.
const fewest = 5000

// likeDuring has sixteen of them like until do is done, and fewest times, and returns what 99 of 100 likes took no longer than.
func (l *likerCrowd) likeDuring(do func()) time.Duration {
	var over atomic.Bool
	var workers sync.WaitGroup
	took := make([][]time.Duration, 16)
	from := l.nextLike.Load()
	for w := range took {
		workers.Go(func() {
			for !over.Load() || l.nextLike.Load() < from+fewest {
				n := int(l.nextLike.Add(1))
				began := time.Now()
				if err := l.sendLike(l.tokens[n%len(l.tokens)], fmt.Sprintf("share%010d", 1+(n*7919+n/len(l.tokens))%l.posts)); err != nil {
					l.b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(began))
			}
		})
	}
	do()
	over.Store(true)
	workers.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	return all[len(all)*99/100]
}

func (l *likerCrowd) sendLike(token, post string) error {
	request, err := http.NewRequest("POST", l.url+"/api/collections/likes/records", strings.NewReader(`{"post":"`+post+`"}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	answer, err := l.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("a like of %s is answered %d", post, answer.StatusCode)
	}
	return nil
}
