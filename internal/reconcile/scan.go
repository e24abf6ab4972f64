package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// A scan looks at a table once for all its invariants, page by page, each page in a statement of its own outside of the writer: no
// statement is long, so that the write-ahead log can begin anew meanwhile. A page begins after the last row of the one before.
type scan struct {
	table  string
	values []string // the columns whose combinations are looked at, none for each row
	of     []*Invariant
	state  position
}

// position is where a scan of a table goes on. The zero value is its beginning.
type position struct {
	begun bool
	after []any
}

// pageRows is how many rows a statement looks at: some milliseconds.
const pageRows = 1000

// mostConditions is how many invariants fit into the mask of a row.
const mostConditions = 60

// scans groups the invariants about rows by what is looked at.
func scans(all []*Invariant) (list []*scan) {
	for _, i := range all {
		if i.Table == "" {
			continue
		}
		at := slices.IndexFunc(list, func(s *scan) bool {
			return s.table == i.Table && slices.Equal(s.values, i.Values) && len(s.of) < mostConditions
		})
		if at < 0 {
			at = len(list)
			list = append(list, &scan{table: i.Table, values: i.Values})
		}
		list[at].of = append(list[at].of, i)
	}
	return list
}

// broken is a row, or a combination of values, of which invariants are broken: those of the bits of Mask.
type broken struct {
	Key   []any // the columns after which the next page begins
	ID    string
	Mask  int64
	Count int // rows that have the values
}

// page looks at the next n rows and returns those that are broken, and how many rows there were: fewer than n at the end of the table.
func (s *scan) page(app core.App, n int, gently bool) (wrong []broken, rows int, err error) {
	p := params(app)
	p["n"] = n
	if !s.state.begun {
		s.state.after, s.state.begun = s.first(), true
	}
	for i, after := range s.state.after {
		p[fmt.Sprint("after", i)] = after
	}
	read := db.Row
	if gently {
		read = db.Scan
	}
	var last, found string
	if _, err := read(app, s.statement(), p, &rows, &last, &found); err != nil {
		return nil, 0, fmt.Errorf("look at %s: %w", s.table, err)
	}
	if rows == 0 {
		return nil, 0, nil
	}
	if s.state.after, err = keys(last); err != nil {
		return nil, 0, fmt.Errorf("look at %s after %s: %w", s.table, last, err)
	}
	var list [][]json.RawMessage
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		return nil, 0, fmt.Errorf("look at %s: %w", s.table, err)
	}
	for _, row := range list {
		var b broken
		for i, into := range []any{&b.ID, &b.Mask, &b.Count} {
			if err := json.Unmarshal(row[i], into); err != nil {
				return nil, 0, fmt.Errorf("look at %s: %w", s.table, err)
			}
		}
		for _, value := range row[3:] {
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, 0, fmt.Errorf("look at %s: %w", s.table, err)
			}
			b.Key = append(b.Key, text)
		}
		wrong = append(wrong, b)
	}
	return wrong, rows, nil
}

// first is what is before all rows.
func (s *scan) first() []any {
	if len(s.values) == 0 {
		return []any{int64(math.MinInt64)}
	}
	return slices.Repeat([]any{""}, len(s.values)) // no value is one that points at nothing
}

// keys reads a JSON list of whole numbers and texts.
func keys(list string) (values []any, err error) {
	decoder := json.NewDecoder(strings.NewReader(list))
	decoder.UseNumber() // a rowid has 64 bits
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	for i, value := range values {
		if n, isNumber := value.(json.Number); isNumber {
			if values[i], err = n.Int64(); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

// statement reads one page: how many rows it has, what it ends with, and the broken ones. Almost no row is broken, so that each row is
// first asked whether any invariant is, up to the first, and only such a row which.
func (s *scan) statement() string {
	bits := make([]string, len(s.of))
	for i, invariant := range s.of {
		bits[i] = fmt.Sprintf("(iif(%s, 1, 0) << %d)", invariant.Broken, i)
	}
	mask, any := strings.Join(bits, " | "), s.anyBroken()
	if len(s.values) == 0 {
		return `WITH page AS MATERIALIZED (SELECT (SELECT rowid FROM {{` + s.table + `}} WHERE rowid > {:after0} ORDER BY rowid LIMIT 1 OFFSET {:n} - 1) last)
			SELECT iif(last IS NULL, (SELECT count(*) FROM {{` + s.table + `}} WHERE rowid > {:after0}), {:n}), json_array(coalesce(last, {:after0})), coalesce((
				SELECT json_group_array(json_array(t.id, ` + mask + `, 1)) FROM {{` + s.table + `}} t
					WHERE t.rowid > {:after0} AND t.rowid <= coalesce(last, ` + fmt.Sprint(math.MaxInt64) + `) AND ` + any + `), '[]') FROM page`
	}
	columns, same, after := make([]string, len(s.values)), make([]string, len(s.values)), make([]string, len(s.values))
	for i, value := range s.values {
		columns[i], same[i], after[i] = "[["+value+"]]", "[[o."+value+"]] = [[t."+value+"]]", fmt.Sprintf("{:after%d}", i)
	}
	list := strings.Join(columns, ", ")
	rows := `FROM {{` + s.table + `}} o WHERE ` + strings.Join(same, " AND ")
	return `WITH page AS MATERIALIZED (SELECT DISTINCT ` + list + ` FROM {{` + s.table + `}} WHERE (` + list + `) > (` + strings.Join(after, ", ") + `) ORDER BY ` + list + ` LIMIT {:n})
		SELECT (SELECT count(*) FROM page), coalesce((SELECT json_array(` + list + `) FROM page ORDER BY ` + strings.Join(columns, " DESC, ") + ` DESC LIMIT 1), '[]'), coalesce((
			SELECT json_group_array(json_array((SELECT min(o.id) ` + rows + `), mask, (SELECT count(*) ` + rows + `), ` + list + `)) FROM (SELECT t.*, ` + mask + ` mask FROM page t WHERE ` + any + `) t), '[]')`
}

// anyBroken is the condition of rows that break any of the invariants.
func (s *scan) anyBroken() string {
	byFine, order := map[string][]string{}, []string{}
	for _, i := range s.of {
		key := i.Fine
		if key == "" {
			key = i.Broken
		}
		if byFine[key] == nil {
			order = append(order, key)
		}
		byFine[key] = append(byFine[key], "("+i.Broken+")")
	}
	cases := make([]string, len(order))
	for at, key := range order {
		condition := strings.Join(byFine[key], " OR ")
		if len(byFine[key]) > 1 {
			condition = "iif(" + key + ", 0, " + condition + ")"
		}
		cases[at] = "WHEN " + condition + " THEN 1"
	}
	return "CASE " + strings.Join(cases, " ") + " END"
}

// Result is what became of one invariant in an examination.
type Result struct {
	*Invariant
	Count  int    // rows that break it
	First  string // one of them
	Notes  []string
	Warned bool  // it is known only
	Err    error // it could not be looked at

	known []broken // of those, up to mostKnown
}

// mostKnown is how many broken rows a result remembers: more are found again when they are repaired.
const mostKnown = 1000

// Broken reports whether the invariant was found broken, be it only that somebody should know.
func (r *Result) Broken() bool { return r.Count > 0 }

// Detail says what is wrong, for people.
func (r *Result) Detail() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: could not look: %v", r.Label(), r.Err)
	case r.Look != nil:
		return strings.Join(r.Notes, "; ")
	}
	return fmt.Sprintf("%s: %d rows, as %s", r.Label(), r.Count, r.First)
}

// Watch is how an examination goes on beside others. The zero value is for one in a hurry that tells nobody.
type Watch struct {
	Rest func(worked time.Duration) error // between two pages, if anything; an error ends the examination
	Told func(what string, rows int)      // when something begins to be looked at, and after each page of it
}

func (w Watch) tell(what string, rows int) {
	if w.Told != nil {
		w.Told(what, rows)
	}
}

// Examine looks whether the invariants hold, changes nothing, and returns what it found in their order.
func Examine(ctx context.Context, app core.App, all []*Invariant, w Watch) []*Result {
	results, found := make([]*Result, len(all)), map[*Invariant]*Result{}
	for at, i := range all {
		results[at] = &Result{Invariant: i}
		found[i] = results[at]
		if i.Look == nil {
			continue
		}
		w.tell(i.Label(), 0)
		f := &Found{}
		if results[at].Err = i.Look(app, f); results[at].Err == nil {
			results[at].Count, results[at].Notes, results[at].Warned = f.Failed+f.Warned, f.Notes, f.Failed == 0
		}
	}
	for _, s := range scans(all) {
		if err := s.examine(ctx, app, found, w); err != nil {
			for _, i := range s.of {
				found[i].Err = err
			}
		}
	}
	return results
}

// examine looks at the table from where the scan is to its end. After an error it can go on there.
func (s *scan) examine(ctx context.Context, app core.App, found map[*Invariant]*Result, w Watch) error {
	for total := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		began := time.Now()
		wrong, rows, err := s.page(app, pageRows, w.Rest != nil)
		if err != nil {
			return err
		}
		for _, b := range wrong {
			for bit, i := range s.of {
				if b.Mask&(1<<bit) != 0 {
					found[i].add(b)
				}
			}
		}
		total += rows
		w.tell(s.table, total)
		if rows < pageRows {
			s.state = position{}
			return nil
		}
		if w.Rest != nil {
			if err := w.Rest(time.Since(began)); err != nil {
				return err
			}
		}
	}
}

func (r *Result) add(b broken) {
	if r.Count += b.Count; r.First == "" {
		r.First = b.ID
	}
	if len(r.known) <= mostKnown { // one more tells that there are more
		r.known = append(r.known, b)
	}
}
