package hooks_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/testenv"
)

// repairCounts returns the repairs of /metrics that are not 0, by check.
func repairCounts(t *testing.T, url string) map[string]string {
	t.Helper()
	answer, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `doubletap_repairs_total{check="counters"}`) {
		t.Fatalf("metrics without repairs: %v %s", err, text)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, `doubletap_repairs_total{check="`); ok {
			check, n, _ := strings.Cut(rest, `"} `)
			if n = strings.TrimSpace(n); n != "0" {
				all[check] = n
			}
		}
	}
	return all
}

// newVillage starts a service in which some things have happened.
func newVillage(t *testing.T) *hookstest.Service {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello #sea with @carol")
	s.As("bob").Like(post)
	s.As("carol").Like(post)
	comment := s.As("bob").Comment(post, "", "wow")
	s.As("ada").Comment(post, comment, "thanks")
	s.As("dave").Create("comment_likes", map[string]any{"comment": comment})
	s.As("bob").Follow("ada")
	s.As("dave").Follow("bob")
	s.As("ada").Create("mutes", map[string]any{"muted": s.As("eve").ID})
	s.As("eve").Like(post)
	s.As("mallory").Like(post)
	s.As("ada").Block("mallory")
	s.RunJobs()
	return s
}

func TestReconciliationMendsAndCounts(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const ada = `(SELECT id FROM users WHERE handle = 'ada')`
	for check, damage := range map[string][]string{
		"counters":      {`UPDATE posts SET likesCount = 99`},
		"notifications": {`UPDATE notifications SET actorsCount = 7, actors = '[]' WHERE type = 'like'`},
		"settings":      {`UPDATE settings SET seq = 0 WHERE user = ` + ada},
		"relations":     {`PRAGMA foreign_keys = OFF`, `INSERT INTO saves (id, user, post, created, updated) VALUES (doubletap_key('saves', ` + ada + `, 'nosuchpost00001'), ` + ada + `, 'nosuchpost00001', '', '')`},
		"missing":       {`INSERT INTO likes (id, post, user, created) SELECT doubletap_key('likes', p.id, u.id), p.id, u.id, strftime('%Y-%m-%d %H:%M:%fZ', 'now') FROM posts p, users u WHERE u.handle = 'dave'`},
	} {
		t.Run(check, func(t *testing.T) {
			s := newVillage(t)
			reconciled := func() {
				t.Helper()
				if err := job.Enqueue(s.App, reconcile.HourlyJob, nil); err != nil {
					t.Fatal(err)
				}
				s.RunJobs()
			}
			reconciled()
			if got := repairCounts(t, s.URL); len(got) != 0 {
				t.Fatalf("nothing was wrong, and it mended %v", got)
			}
			for _, statement := range damage {
				if _, err := s.App.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			reconciled()
			if got := fmt.Sprint(repairCounts(t, s.URL)); got != "map["+check+":1]" {
				t.Errorf("it mended %s, want one of %s", got, check)
			}
			s.Advance(time.Minute)
			reconciled()
			if got := fmt.Sprint(repairCounts(t, s.URL)); got != "map["+check+":1]" {
				t.Errorf("it mended again: %s", got)
			}
			if check == "missing" {
				ada := s.As("ada").List("notifications", "filter="+escapeQuery("type='like'"))
				if len(ada) != 1 || ada[0]["actorsCount"] != 3.0 || s.Rows("posts", "likesCount = 5") != 1 {
					t.Errorf("ada is told %v, want dave among bob and carol", ada)
				}
			}
		})
	}
}

func TestTheProgramReconcilesWhenItStarts(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := newVillage(t)
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE posts SET likesCount = 99`).Execute(); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, s)
	for s.Rows("posts", "likesCount = 99") > 0 || s.Rows("jobs", "kind = 'reconcile'") > 0 {
		select {
		case err := <-p.ended:
			t.Fatal("it ended: ", err)
		case <-time.After(10 * time.Millisecond): // leaves the processor to the program
		}
	}
	if got := fmt.Sprint(repairCounts(t, p.url)); got != "map[counters:1]" {
		t.Errorf("it mended %s", got)
	}
}
