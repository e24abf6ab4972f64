package search

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// UnindexedCondition returns the SQL condition of a row t of the kind that cannot be found by its words: it waits for
// the job, or somebody changed the index without the triggers. IndexText tells whether the words are the right ones.
func (k Kind) UnindexedCondition() string {
	return k.forTable(`NOT EXISTS (SELECT 1 FROM search_@table s JOIN search_@table_words_docsize d ON d.id = s.n WHERE s.id = t.id AND s.words IS NOT NULL)`)
}

func (k Kind) forTable(statement string) string {
	return strings.ReplaceAll(statement, "@table", k.Collection)
}

// RepairIndex gives the rows with these ids their places and their words anew, whatever state the index is in. It
// removes from the index what it has of rows with these ids that are deleted.
func RepairIndex(tx core.App, kind Kind, ids ...string) error {
	collection, err := tx.FindCachedCollectionByNameOrId(kind.Collection)
	if err != nil {
		return fmt.Errorf("find collection %s: %w", kind.Collection, err)
	}
	created := "'now'"
	if collection.Fields.GetByName("created") != nil { // a users collection that is older than Doubletap may not have it
		created = "created"
	}
	for _, id := range ids {
		for _, statement := range []string{
			// FTS5 must have the words of a row before it can delete them
			`INSERT INTO search_@table_words (rowid, words) SELECT n, words FROM search_@table WHERE id = {:id} AND words IS NOT NULL AND n NOT IN (SELECT id FROM search_@table_words_docsize)`,
			`UPDATE search_@table SET words = NULL WHERE id = {:id}`,
			`DELETE FROM search_@table WHERE id = {:id} AND id NOT IN (SELECT id FROM @table WHERE id = {:id})`,
			`INSERT INTO search_@table (n, id) SELECT max(first, coalesce((SELECT max(n) + 1 FROM search_@table WHERE n < first + 1000000), 0)), id
				FROM (SELECT CAST(round((coalesce(julianday(` + created + `), 2440587.5) - 2440587.5) * 86400000) AS INTEGER) * 1000000 first, id FROM @table WHERE id = {:id})
				WHERE NOT EXISTS (SELECT 1 FROM search_@table WHERE id = {:id})`,
		} {
			if _, err := db.Exec(tx, kind.forTable(statement), db.Params{"id": id}); err != nil {
				return fmt.Errorf("repair the index of %s %s: %w", kind.Collection, id, err)
			}
		}
	}
	return Index(tx, kind, ids...)
}
