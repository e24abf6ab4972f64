package hooks_test

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

// populatePeople stores many people and posts by SQL: 2,000 people with 50 posts each, half of them for nobody else.
func populatePeople(b *testing.B, s *hookstest.Service) {
	b.Helper()
	for _, statement := range []string{
		`INSERT INTO users (id, handle, name, email, password, tokenKey, state, role, created, updated)
			WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 2000)
			SELECT printf('u%014d', i), printf('person_%d', i), printf('Person %d', i), i || '@example.com', 'x', 'k' || i, 'active', 'member',
				strftime('%Y-%m-%d %H:%M:%fZ', 1700000000 + i, 'unixepoch'), '' FROM c`,
		`INSERT INTO posts (id, author, caption, visibility, photos, created, updated)
			WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000)
			SELECT printf('p%014d', i), printf('u%014d', 1 + i % 2000), printf('A sunset over the bay, number %d of many days 東京の夜', i), iif(i % 2, 'public', 'private'), '["a.jpg"]',
				strftime('%Y-%m-%d %H:%M:%fZ', 1700000000 + i * 60, 'unixepoch'), '' FROM c`,
	} {
		if _, err := s.App.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	runIndexJob(b, s)
}

// BenchmarkSearch searches 100,000 posts, all of which have the words, and 2,000 people.
func BenchmarkSearch(b *testing.B) {
	s := hookstest.New(b)
	populatePeople(b, s)
	for name, query := range map[string]string{
		"all": "q=person", "posts": "type=posts&q=sunset", "prefix": "type=posts&q=su", "rare": "type=posts&q=sunset%2099999", "cjk": "type=posts&q=%E6%9D%B1%E4%BA%AC", "people": "type=users&q=person",
	} {
		b.Run(name, func(b *testing.B) { measureGet(b, s.URL+"/api/v1/search?"+query) })
	}
}

// measureGet gets an address over and over, reports the median, and ends the benchmark unless it is answered.
func measureGet(b *testing.B, url string) {
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		response, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body) // so that the connection is used again
		response.Body.Close()
		if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNotFound {
			b.Fatal(response.Status)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}
