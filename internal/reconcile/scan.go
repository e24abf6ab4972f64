package reconcile

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// scan reads a table once for all its invariants, page by page. Each page is a statement of its own outside of the
// writer, so that no statement is long and SQLite can restart the write-ahead log meanwhile. A page begins after the
// last row of the page before.
type scan struct {
	table      string
	values     []string // the columns whose combinations of values are checked; empty if each row is
	invariants []*Invariant
	position   scanPosition
	proof      *proof // nil for none
	isPartial  bool   // not all rows are remembered for proofs
}

// scanPosition is where a scan of a table continues. The zero value is the beginning.
type scanPosition struct {
	begun bool
	after []any
}

// pageRows is how many rows one statement checks, which takes some milliseconds.
const pageRows = 1000

// maxConditions is how many invariants fit into a row's mask of bits.
const maxConditions = 60

// groupScans puts the invariants about rows into scans by what they check: those of one table and the same values share
// a scan.
func groupScans(all []*Invariant) (list []*scan) {
	for _, i := range all {
		if i.Table == "" {
			continue
		}
		at := slices.IndexFunc(list, func(s *scan) bool {
			return s.table == i.Table && slices.Equal(s.values, i.Values) && len(s.invariants) < maxConditions
		})
		if at < 0 {
			at = len(list)
			s := &scan{table: i.Table, values: i.Values}
			if p, has := proofs[i.Table]; has && len(i.Values) == 0 && !slices.ContainsFunc(list, func(o *scan) bool { return o.table == i.Table && o.proof != nil }) {
				s.proof = &p
			}
			list = append(list, s)
		}
		list[at].invariants = append(list[at].invariants, i)
	}
	slices.SortStableFunc(list, func(a, b *scan) int {
		return slices.Index(readingOrder, a.table) - slices.Index(readingOrder, b.table)
	})
	return list
}

// brokenRow is a row, or a combination of values, for which invariants are broken: the bits of Mask say which.
type brokenRow struct {
	Key   []any // the columns after which the next page begins
	ID    string
	Mask  int64
	Count int // how many rows have these values
}

// readPage checks the next n rows. It returns the broken ones and how many rows there were, fewer than n at the end of
// the table. With a memory it asks the conditions of rows alone that are not proved to be sound.
func (s *scan) readPage(app core.App, m *memory, n int, gently bool) (wrong []brokenRow, rows int, err error) {
	p := conditionParams(app)
	p["n"] = n
	if !s.position.begun {
		s.position.after, s.position.begun = s.firstKeys(), true
	}
	for i, after := range s.position.after {
		p[fmt.Sprint("after", i)] = after
	}
	query := db.QueryRow
	if gently {
		query = db.QueryRowUnmapped
	}
	read := func(statement string, columns ...any) error {
		if _, err := query(app, statement, p, columns...); err != nil {
			return fmt.Errorf("look at %s after %v: %w", s.table, s.position.after, err)
		}
		return nil
	}
	last, found := s.position.after, "[]"
	if m != nil && s.proof != nil {
		reader := &rowReader{proof: s.proof, memory: m, room: n}
		number, forget := reader.register()
		defer forget()
		p["reader"] = number
		err = read(s.proofStatement(), &rows)
		if rows, last = n-reader.room, []any{reader.last}; err == nil && len(reader.unsure) > 0 {
			unsure, _ := json.Marshal(reader.unsure) // numbers always encode
			p["rows"] = string(unsure)
			err = read(s.rowsStatement(), &found)
		}
		s.isPartial = s.isPartial || reader.hasOdd
	} else {
		var keys string
		if err = read(s.pageStatement(), &rows, &keys, &found); err == nil {
			last, err = parseKeys(keys)
		}
	}
	if err == nil {
		wrong, err = parseBroken(found)
	}
	if err != nil || rows == 0 {
		return nil, 0, err
	}
	s.position.after = last
	return wrong, rows, nil
}

// parseBroken reads a JSON list of broken rows.
func parseBroken(found string) (wrong []brokenRow, err error) {
	var list [][]json.RawMessage
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		return nil, err
	}
	for _, row := range list {
		var b brokenRow
		for i, into := range []any{&b.ID, &b.Mask, &b.Count} {
			if err := json.Unmarshal(row[i], into); err != nil {
				return nil, err
			}
		}
		for _, value := range row[3:] {
			keys, err := parseKeys("[" + string(value) + "]")
			if err != nil {
				return nil, err
			}
			b.Key = append(b.Key, keys...)
		}
		wrong = append(wrong, b)
	}
	return wrong, nil
}

// firstKeys returns the keys before those of all rows.
func (s *scan) firstKeys() []any {
	if len(s.values) == 0 {
		return []any{int64(math.MinInt64)}
	}
	return slices.Repeat([]any{""}, len(s.values)) // rows with an empty value are skipped, as it points at nothing
}

// parseKeys reads a JSON list of integers, texts, and lists of a BLOB as hexadecimal digits.
func parseKeys(list string) (values []any, err error) {
	decoder := json.NewDecoder(strings.NewReader(list))
	decoder.UseNumber() // a rowid has 64 bits
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	for i, value := range values {
		switch value := value.(type) {
		case json.Number:
			values[i], err = value.Int64()
		case []any:
			values[i], err = hex.DecodeString(fmt.Sprint(value...))
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// pageStatement reads one page: how many rows it has, what it ends with, and the broken ones. Almost no row is broken, so that each row is
// first asked whether any invariant is, up to the first, and only such a row which.
func (s *scan) pageStatement() string {
	mask, any := s.brokenMask(), anyBroken(s.invariants)
	if len(s.values) == 0 {
		return `WITH page AS MATERIALIZED (SELECT (SELECT rowid FROM {{` + s.table + `}} WHERE rowid > {:after0} ORDER BY rowid LIMIT 1 OFFSET {:n} - 1) last)
			SELECT iif(last IS NULL, (SELECT count(*) FROM {{` + s.table + `}} WHERE rowid > {:after0}), {:n}), json_array(coalesce(last, {:after0})), coalesce((
				SELECT json_group_array(json_array(CAST(t.id AS TEXT), ` + mask + `, 1)) FROM {{` + s.table + `}} t
					WHERE t.rowid > {:after0} AND t.rowid <= coalesce(last, ` + fmt.Sprint(math.MaxInt64) + `) AND ` + any + `), '[]') FROM page`
	}
	columns, same, after := make([]string, len(s.values)), make([]string, len(s.values)), make([]string, len(s.values))
	for i, value := range s.values {
		columns[i], same[i], after[i] = "[["+value+"]]", "[[o."+value+"]] = [[t."+value+"]]", fmt.Sprintf("{:after%d}", i)
	}
	list := strings.Join(columns, ", ")
	asJSON := make([]string, len(columns))
	for i, column := range columns {
		asJSON[i] = "iif(typeof(" + column + ") = 'blob', json_array(hex(" + column + ")), " + column + ")"
	}
	keys := strings.Join(asJSON, ", ")
	rows := `FROM {{` + s.table + `}} o WHERE ` + strings.Join(same, " AND ")
	return `WITH page AS MATERIALIZED (SELECT DISTINCT ` + list + ` FROM {{` + s.table + `}} WHERE (` + list + `) > (` + strings.Join(after, ", ") + `) ORDER BY ` + list + ` LIMIT {:n})
		SELECT (SELECT count(*) FROM page), coalesce((SELECT json_array(` + keys + `) FROM page ORDER BY ` + strings.Join(columns, " DESC, ") + ` DESC LIMIT 1), '[]'), coalesce((
			SELECT json_group_array(json_array((SELECT CAST(min(o.id) AS TEXT) ` + rows + `), mask, (SELECT count(*) ` + rows + `), ` + keys + `)) FROM (SELECT t.*, ` + mask + ` mask FROM page t WHERE ` + any + `) t), '[]')`
}

// rowsStatement reads the broken ones among the rows whose rowids are listed.
func (s *scan) rowsStatement() string {
	return `SELECT json_group_array(json_array(CAST(t.id AS TEXT), ` + s.brokenMask() + `, 1)) FROM {{` + s.table + `}} t
		WHERE t.rowid IN (SELECT value FROM json_each({:rows})) AND ` + anyBroken(s.invariants)
}

// proofStatement hands one row after the other to their reader until that has read a page.
func (s *scan) proofStatement() string {
	var others []*Invariant
	for _, i := range s.invariants {
		if !i.Proved {
			others = append(others, i)
		}
	}
	values := slices.Concat([]string{"{:reader}", "t.rowid", anyBroken(others)}, s.proof.texts, s.proof.numbers)
	return `SELECT 1 FROM {{` + s.table + `}} t NOT INDEXED WHERE t.rowid > {:after0} AND ` + proveRow + `(` + strings.Join(values, ", ") + `) ORDER BY t.rowid LIMIT 1`
}

// brokenMask is the expression of the bits that say which of the invariants a row breaks.
func (s *scan) brokenMask() string {
	bits := make([]string, len(s.invariants))
	for i, invariant := range s.invariants {
		bits[i] = fmt.Sprintf("(iif(%s, 1, 0) << %d)", invariant.Broken, i)
	}
	return strings.Join(bits, " | ")
}

// anyBroken is the condition of rows that break any of the invariants.
func anyBroken(all []*Invariant) string {
	if len(all) == 0 {
		return "0"
	}
	cases := make([]string, len(all))
	for at, i := range all {
		cases[at] = "WHEN " + i.Broken + " THEN 1"
	}
	return "CASE " + strings.Join(cases, " ") + " ELSE 0 END"
}

// Result is what an examination found about one invariant.
type Result struct {
	*Invariant
	Count  int    // how many rows break it
	First  string // the id of one of them
	Notes  []string
	Warned bool  // it found only warnings
	Err    error // why it could not be checked, or nil

	known []brokenRow // the first broken ones, at most maxKnown and one
}

// maxKnown is how many broken rows a result remembers; if there are more, the repair finds them again.
const maxKnown = 1000

// IsBroken reports whether the invariant was found broken, also if that is only a warning.
func (r *Result) IsBroken() bool { return r.Count > 0 }

// Detail returns what is wrong, as a text for people.
func (r *Result) Detail() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: could not look: %v", r.Label(), r.Err)
	case r.Inspect != nil:
		return strings.Join(r.Notes, "; ")
	}
	return fmt.Sprintf("%s: %d rows, as %s", r.Label(), r.Count, r.First)
}

// ExamineOptions says how an examination shares the machine and reports. The zero value examines without pauses and
// reports nothing.
type ExamineOptions struct {
	Pause  func(worked time.Duration) error // called between two pages, unless nil; an error ends the examination
	Report func(what string, rows int)      // called when the check of something begins and after each page of it, unless nil
}

func (o ExamineOptions) maxRemembered() int {
	if o.Pause != nil {
		return maxRememberedServer
	}
	return maxRemembered
}

func (o ExamineOptions) reportRows(what string, rows int) {
	if o.Report != nil {
		o.Report(what, rows)
	}
}

// Examine checks whether the invariants hold and returns the results in their order. It changes nothing.
func Examine(ctx context.Context, app core.App, all []*Invariant, o ExamineOptions) []*Result {
	results, found := make([]*Result, len(all)), map[*Invariant]*Result{}
	for at, i := range all {
		results[at] = &Result{Invariant: i}
		found[i] = results[at]
		if i.Inspect == nil {
			continue
		}
		o.reportRows(i.Label(), 0)
		f := &Problems{}
		if results[at].Err = i.Inspect(app, f); results[at].Err == nil {
			results[at].Count, results[at].Notes, results[at].Warned = f.Failed+f.Warned, f.Notes, f.Failed == 0
		}
	}
	m := newMemory(o.maxRemembered())
	for _, s := range groupScans(all) {
		if err := s.examine(ctx, app, m, found, o); err != nil {
			for _, i := range s.invariants {
				found[i].Err = err
			}
		}
	}
	return results
}

// examine checks the table from the scan's position to its end. After an error it can continue there.
func (s *scan) examine(ctx context.Context, app core.App, m *memory, found map[*Invariant]*Result, o ExamineOptions) error {
	s.isPartial = s.position.begun
	for total := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		began := time.Now()
		wrong, rows, err := s.readPage(app, m, pageRows, o.Pause != nil)
		if err != nil {
			return err
		}
		for _, b := range wrong {
			for bit, i := range s.invariants {
				if b.Mask&(1<<bit) != 0 {
					found[i].addBroken(b)
				}
			}
		}
		total += rows
		o.reportRows(s.table, total)
		if rows < pageRows {
			s.position = scanPosition{}
			if s.proof != nil {
				m.whole[s.table] = !s.isPartial && m.room >= 0
			}
			return nil
		}
		if o.Pause != nil {
			if err := o.Pause(time.Since(began)); err != nil {
				return err
			}
		}
	}
}

func (r *Result) addBroken(b brokenRow) {
	if r.Count += b.Count; r.First == "" {
		r.First = b.ID
	}
	if len(r.known) <= maxKnown { // one more than maxKnown tells that there are more
		r.known = append(r.known, b)
	}
}
