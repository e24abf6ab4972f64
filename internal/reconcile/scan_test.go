package reconcile

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// newTaggedApp returns an app with hashtags tag1, tag2, …, of which the last has a wrong count, and the invariant about
// it.
func newTaggedApp(t *testing.T, rows int) (*core.BaseApp, *Invariant) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	_, err := db.Exec(app, `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {:rows})
		INSERT INTO hashtags (id, name, postsCount) SELECT 'tag' || i, 'tag' || i, i = {:rows} FROM n`, db.Params{"rows": rows})
	if err != nil {
		t.Fatal(err)
	}
	return app, &Invariant{Check: "counters", Name: "counter", Table: "hashtags", Broken: `t.postsCount != 0`, Mend: mendByStatements(`UPDATE hashtags SET postsCount = 0 WHERE id IN @ids`)}
}

func TestARestsErrorEndsAnExamination(t *testing.T) {
	const rows = 2*pageRows + 1
	app, counter := newTaggedApp(t, rows)
	pauses := 0
	w := ExamineOptions{Pause: func(time.Duration) error { pauses++; return nil }}
	r := Examine(t.Context(), app, []*Invariant{counter}, w)[0]
	if r.Count != 1 || r.First != fmt.Sprint("tag", rows) || r.Err != nil || pauses != 2 {
		t.Errorf("%d, %s, %v after %d rests", r.Count, r.First, r.Err, pauses)
	}
	ended := errors.New("ended")
	w.Pause = func(time.Duration) error { return ended }
	if r := Examine(t.Context(), app, []*Invariant{counter}, w)[0]; !errors.Is(r.Err, ended) {
		t.Errorf("it goes on: %v", r.Err)
	}
}

// TestARowFarAwayEndsNoScan: a page begins after the last row of the page before, whatever its rowid is.
func TestARowFarAwayEndsNoScan(t *testing.T) {
	app, counter := newTaggedApp(t, 3)
	for _, statement := range []string{`UPDATE hashtags SET rowid = 1 << 62 WHERE id = 'tag1'`, fmt.Sprintf(`UPDATE hashtags SET rowid = %d, postsCount = 1 WHERE id = 'tag2'`, math.MaxInt64),
		`UPDATE hashtags SET rowid = -5, postsCount = 1 WHERE id = 'tag3'`} {
		if _, err := db.Exec(app, statement, nil); err != nil {
			t.Fatal(err)
		}
	}
	pages := 0
	r := Examine(t.Context(), app, []*Invariant{counter}, ExamineOptions{Report: func(string, int) { pages++ }})[0]
	if r.Count != 2 || r.Err != nil || pages != 1 {
		t.Errorf("%d broken, %v, in %d pages", r.Count, r.Err, pages)
	}
	if n, err := r.Repair(t.Context(), app, ExamineOptions{}); n != 2 || err != nil {
		t.Errorf("repaired %d, %v", n, err)
	}
}

// TestAllThatIsBrokenIsRepaired: more broken rows than a result remembers are found again.
func TestAllThatIsBrokenIsRepaired(t *testing.T) {
	const rows = 3*maxKnown + 7
	app, counter := newTaggedApp(t, rows)
	counter.Broken = `t.postsCount != 5`
	counter.Mend = mendByStatements(`UPDATE hashtags SET postsCount = 5 WHERE id IN @ids`)
	done := 0
	left := RepairAll(t.Context(), app, []*Invariant{counter}, ExamineOptions{}, func(_ *Result, mended int64, err error) {
		done += int(mended)
		if err != nil {
			t.Error(err)
		}
	})
	if done != rows || left[0].Count != 0 {
		t.Errorf("repaired %d, and %d are left", done, left[0].Count)
	}
}

// TestAFailedRepairKeepsNoOtherFromBeingMade: a row that cannot be repaired prevents neither the other rows nor another
// invariant from being repaired.
func TestAFailedRepairKeepsNoOtherFromBeingMade(t *testing.T) {
	app, counter := newTaggedApp(t, 40)
	counter.Broken = `t.postsCount != 5`
	counter.Mend = func(tx core.App, ids []string) error {
		if err := mendByStatements(`UPDATE hashtags SET postsCount = 5 WHERE id IN @ids`)(tx, ids); err != nil {
			return err
		}
		for _, id := range ids {
			if id == "tag20" {
				return errors.New("not this one")
			}
		}
		return nil
	}
	other := &Invariant{Check: "counters", Name: "other", Table: "hashtags", Broken: `t.banned = 0 AND t.id = 'tag3'`, Mend: mendByStatements(`UPDATE hashtags SET banned = 1 WHERE id IN @ids`)}
	failures := 0
	left := RepairAll(t.Context(), app, []*Invariant{counter, other}, ExamineOptions{}, func(_ *Result, _ int64, err error) {
		if err != nil {
			failures++
		}
	})
	if failures != 1 || left[0].Count != 1 || left[0].First != "tag20" || left[1].Count != 0 {
		t.Errorf("%d failures; left are %d, %s, and %d of the other", failures, left[0].Count, left[0].First, left[1].Count)
	}
}

// TestInvariantsOfOneConditionAreAllFound: two invariants may say the same, and each is named.
func TestInvariantsOfOneConditionAreAllFound(t *testing.T) {
	app, counter := newTaggedApp(t, 3)
	again := *counter
	again.Name = "again"
	for _, r := range Examine(t.Context(), app, []*Invariant{counter, &again}, ExamineOptions{}) {
		if r.Count != 1 || r.Err != nil {
			t.Errorf("%s is broken by %d rows, %v", r.Name, r.Count, r.Err)
		}
	}
}

// TestWhatIsNotRememberedProvesNothing: an examination that has no room finds the same.
func TestWhatIsNotRememberedProvesNothing(t *testing.T) {
	for _, room := range []int{0, 1, 100} {
		m := newMemory(room)
		for range 2 {
			m.add(1, "likes", "post")
			m.remember("like", "post", "bob")
		}
		if full := room >= 2; m.has("like", "post", "bob") != (room > 1) || (m.number("likes", "post") == 2) != (room > 0) || (m.room >= 0) != full {
			t.Errorf("with room for %d: %v, %d, %d left", room, m.has("like", "post", "bob"), m.number("likes", "post"), m.room)
		}
	}
}

// TestAllThatIsRememberedIsKnown: a memory that has grown many times knows what it was told, with its numbers, and nothing else.
func TestAllThatIsRememberedIsKnown(t *testing.T) {
	m := newMemory(100_000)
	for i := range 50_000 {
		m.remember("like", fmt.Sprint(i), "bob")
		m.add(uint64(i), "words", fmt.Sprint(i))
	}
	for i := range 50_000 {
		if n := fmt.Sprint(i); !m.has("like", n, "bob") || m.number("words", n) != uint64(i) || m.has("like", "bob", n) || m.has("like", n) || m.number("tags", n) != 0 {
			t.Fatalf("%d: %v, %d, %v, %v, %d", i, m.has("like", n, "bob"), m.number("words", n), m.has("like", "bob", n), m.has("like", n), m.number("tags", n))
		}
	}
	if m.room != 0 {
		t.Errorf("room for %d more", m.room)
	}
}

// TestAProofIsNoLaxerThanItsConditions: what SQL would call broken, no proof calls sound.
func TestAProofIsNoLaxerThanItsConditions(t *testing.T) {
	for _, c := range []struct {
		photos, media string
		want          bool
	}{
		{`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#fff"}]`, true}, {`["a.jpg","b.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#fff"},{"w":3,"h":2,"hash":"y","color":"#fff"}]`, true},
		{`["a.jpg"]`, `[null]`, false}, {`["a.jpg"]`, `[{"W":3,"H":2,"Hash":"x"}]`, false}, {`["a.jpg"]`, `[{"w":"3","h":2,"hash":"x"}]`, false}, {`["a.jpg"]`, `[{"w":0,"h":2,"hash":"x"}]`, false},
		{`["a.jpg"]`, `[{"w":3,"h":2,"hash":"","color":"#fff"}]`, false}, {`["a.jpg"]`, `[{"w":3,"h":02,"hash":"x","color":"#fff"}]`, false}, {`["a.jpg"]`, `[{"w":3,"h":,"hash":"x","color":"#fff"}]`, false},
		{`["a.jpg"]`, `[{"w":-3,"h":2,"hash":"x","color":"#fff"}]`, false}, {`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x"y","color":"#fff"}]`, false}, {`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#f\"}]`, false},
		{`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#fff"},]`, false}, {`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#fff"}`, false}, {`["a.jpg"]`, `[{"w":3,"h":2,"hash":"x","color":"#fff","w":0}]`, false}, {`["a.jpg"]`, `5`, false}, {`["a.jpg"]`, ``, false}, {`[]`, `[]`, false}, {``, `[]`, false}, {`["a.jpg","b.jpg"]`, `[{"w":3,"h":2,"hash":"x"}]`, false}, {`["a.jpg"]`, `{x`, false},
	} {
		if got := isDescribed(countTexts(c.photos), c.media); got != c.want {
			t.Errorf("%s is described by %s: %v", c.photos, c.media, got)
		}
	}
	for list, want := range map[string]int{`["a"]`: 1, `["a","b"]`: 2, `[""]`: 1, `["","",""]`: 3, `["é, b"]`: 1, `["a\"b"]`: 0, `[1,"a"]`: 0, `["a",null]`: 0, `["a", "b"]`: 0, `"a"`: 0, `["a`: 0, `[]`: 0, ``: 0, `["]`: 0, `["a"b"]`: 0,
		`["a"b","c"]`: 0, `["a"","b"]`: 0, `["a",1,"b"]`: 0, "[\"a\nb\"]": 0, `["a\x"]`: 0, `{"a":1}`: 0} {
		if got := countTexts(list); got != want {
			t.Errorf("%s has %d texts, want %d", list, got, want)
		}
	}
}
