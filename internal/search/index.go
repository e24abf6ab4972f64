package search

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/words"
)

// IndexJob is the kind of the job that indexes the rows that wait for it: those created or changed by SQL, and all rows
// of a data folder whose index was made in another way before.
const IndexJob = "search.index"

// Indexing does the job: the newest rows first, in steps, of which each leaves the index right.
var Indexing = sweep.Work{Kind: IndexJob, Parts: []sweep.Part{Posts.indexing(), Users.indexing(), Tags.indexing()}}

func (k Kind) indexing() sweep.Part {
	return sweep.Part{
		From:   `search_` + k.Collection + ` s CROSS JOIN ` + k.Collection + ` t ON t.id = s.id WHERE s.words IS NULL`,
		Key:    "s.id",
		Order:  `ORDER BY s.n DESC`,
		Weight: 8,
		Do:     func(tx core.App, _ sweep.Subject, ids []string) error { return Index(tx, k, ids...) },
	}
}

// Kinds are all kinds of things that can be found.
var Kinds = []Kind{Posts, Users, Tags}

// IndexText returns what search_COLLECTION.words must be for a row with these values of the kind's Columns, in their
// order. A row whose stored words differ from it, or that has none, needs Index.
func (k Kind) IndexText(values ...string) string { return words.IndexText(values...) }

// unindexedRow is a row that waits for its words; Values are its columns as JSON, of which the words are made.
type unindexedRow struct {
	N      int64  `db:"n"`
	ID     string `db:"id"`
	Values string `db:"vals"`
}

func (k Kind) valuesSQL(row string) string {
	columns := make([]string, len(k.Columns))
	for i, column := range k.Columns {
		columns[i] = "coalesce(" + row + "." + column + ", '')"
	}
	return "json_array(" + strings.Join(columns, ", ") + ")"
}

// Index stores the words of those of the rows with these ids that wait for them, in the transaction that wrote the
// rows.
func Index(tx core.App, kind Kind, ids ...string) error {
	var rows []unindexedRow
	err := db.QueryAll(tx, &rows, `SELECT s.n, s.id, `+kind.valuesSQL("t")+` vals FROM json_each({:ids}) i JOIN search_`+kind.Collection+` s ON s.id = i.value AND s.words IS NULL
		JOIN `+kind.Collection+` t ON t.id = s.id`, db.Params{"ids": db.JSONList(ids)})
	for i := 0; err == nil && i < len(rows); i++ {
		err = rows[i].indexWords(tx, kind)
	}
	if err != nil {
		return fmt.Errorf("index %s %q: %w", kind.Collection, ids, err)
	}
	return nil
}

// indexWords stores the words of a row, unless the row has changed since it was read.
func (r unindexedRow) indexWords(tx core.App, kind Kind) error {
	var values []string
	if err := json.Unmarshal([]byte(r.Values), &values); err != nil {
		return fmt.Errorf("read what is indexed of %s: %w", r.ID, err)
	}
	_, err := db.Exec(tx, `UPDATE search_`+kind.Collection+` SET words = {:words} WHERE n = {:n} AND words IS NULL
		AND EXISTS (SELECT 1 FROM `+kind.Collection+` t WHERE t.id = {:id} AND `+kind.valuesSQL("t")+` = {:vals})`,
		db.Params{"words": kind.IndexText(values...), "n": r.N, "id": r.ID, "vals": r.Values})
	return err
}

// HasUnindexed reports whether there is anything for Indexing to do.
func HasUnindexed(app core.App) (bool, error) {
	for _, kind := range Kinds {
		var one int
		waits, err := db.QueryValue(app, &one, `SELECT 1 FROM search_`+kind.Collection+` s CROSS JOIN `+kind.Collection+` t ON t.id = s.id WHERE s.words IS NULL LIMIT 1`, nil)
		if err != nil {
			return false, fmt.Errorf("find %s that are not indexed: %w", kind.Collection, err)
		}
		if waits {
			return true, nil
		}
	}
	return false, nil
}
