package hooks_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func init() {
	hooks.RegisterRule("endlessly", 0, func(string, ...string) string {
		return "EXISTS (WITH RECURSIVE n_(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n_) SELECT 1 FROM n_ WHERE i < 0)"
	})
}

// publicCollection makes a collection that everybody may read and add to.
func publicCollection(t *testing.T, s *hookstest.Service, name, viewRule string, fields ...core.Field) *core.Collection {
	t.Helper()
	c := core.NewBaseCollection(name)
	c.ListRule, c.ViewRule, c.CreateRule = types.Pointer(""), types.Pointer(viewRule), types.Pointer("")
	c.Fields.Add(fields...)
	if err := s.App.Save(c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Without an error, an answer that lacks what was asked for would look like one where there is nothing.
func TestExpandThatTookTooLongIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	slow := publicCollection(t, s, "slow", "endlessly(@request.auth.id) = true")
	things := publicCollection(t, s, "things", "", &core.RelationField{Name: "slow", CollectionId: slow.Id})
	one := s.Admin().Create("slow", map[string]any{}).ID()
	thing := s.Admin().Create("things", map[string]any{"slow": one}).ID()
	path := "/api/collections/" + things.Name + "/records"
	var all sync.WaitGroup // each waits until its time is over
	for _, c := range []*hookstest.Client{s.Guest(), s.As("ada")} {
		for _, door := range []string{path + "?expand=slow", path + "/" + thing + "?expand=slow"} {
			all.Go(func() {
				a := c.Do("GET", door, nil)
				if a.Status != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Raw, "takes too long") {
					t.Errorf("%s: %s: answered %d %s", c.Name, door, a.Status, a.Raw)
				}
			})
		}
	}
	ada := s.As("ada")
	all.Go(func() {
		if a := ada.Do("POST", path+"?expand=slow", map[string]any{"slow": one}); a.Status != 200 || s.Record("things", a.ID()) == nil {
			t.Errorf("what is stored is answered %d %s", a.Status, a.Raw)
		}
	})
	all.Wait()
}

func TestAnswersAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	articles := publicCollection(t, s, "articles", "", &core.TextField{Name: "text", Max: 2 << 20})
	shelves := publicCollection(t, s, "shelves", "", &core.RelationField{Name: "article", CollectionId: articles.Id}, &core.NumberField{Name: "n"})
	loans := publicCollection(t, s, "loans", "", &core.RelationField{Name: "shelves", CollectionId: shelves.Id, MaxSelect: 20})
	record := func(c *core.Collection, values map[string]any) string {
		r := core.NewRecord(c)
		r.Load(values)
		if err := s.App.Save(r); err != nil {
			t.Fatal(err)
		}
		return r.Id
	}
	text := strings.Repeat("x", 1<<20)
	long := record(articles, map[string]any{"text": text})
	var all []string
	for n := range 17 {
		all = append(all, record(shelves, map[string]any{"article": long, "n": n}))
	}
	loan := record(loans, map[string]any{"shelves": all})
	for range 16 {
		record(articles, map[string]any{"text": text})
	}
	for _, test := range []struct {
		what, path string
		ok         bool
	}{
		{"15 rows of 1 MiB", "articles/records?perPage=15", true},
		{"17 rows of 1 MiB", "articles/records", false},
		{"17 rows of 1 MiB of which the ids are wanted", "articles/records?fields=id", false},
		{"15 rows with the same MiB", "shelves/records?expand=article&filter=" + escapeQuery("n < 15"), true},
		{"17 rows with the same MiB", "shelves/records?expand=article", false},
		{"one record with the same MiB in 17 others", "loans/records/" + loan + "?expand=shelves.article", false},
		{"one record with 17 others", "loans/records/" + loan + "?expand=shelves", true},
	} {
		for _, c := range []*hookstest.Client{s.Guest(), s.As("ada")} {
			a := c.Do("GET", "/api/collections/"+test.path, nil)
			if test.ok && a.Status != 200 || !test.ok && !isOverBudget(a) {
				t.Errorf("%s: %s: answered %d %.200s", c.Name, test.what, a.Status, a.Raw)
			}
		}
		s.Admin().Must(200, "GET", "/api/collections/"+test.path, nil)
	}
}

// The fast path leaves a page that may be too large to the general path.
func TestFastPagesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	posts, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	posts.Fields.Add(&core.TextField{Name: "essay", Max: 2 << 20})
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	ada := s.As("ada")
	for n := range 17 {
		ada.Post(fmt.Sprint("post ", n))
	}
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE posts SET essay = printf('%.*c', 1048576, 'x')`).Execute(); err != nil {
		t.Fatal(err)
	}
	path := "/api/collections/posts/records?page=1&skipTotal=1&sort=-created&filter=" + escapeQuery(`author = "`+ada.ID+`"`) + "&perPage="
	ada.Must(200, "GET", path+"3", nil)
	ada.Must(200, "GET", path+"15", nil)
	if a := ada.Do("GET", path+"17", nil); !isOverBudget(a) {
		t.Errorf("17 posts of 1 MiB: answered %d %.200s", a.Status, a.Raw)
	}
}
