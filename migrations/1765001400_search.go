package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// wordIndex is an index of the words in a table's columns. For posts, search_posts gives each row a place, and
// search_posts_words knows which words are at which place. Places are in the order of creation, so that a page of
// results begins where the last one ended, whatever rows were added or deleted. They are a column of their own, as
// SQLite may number rows anew in a copy.
//
// The index gets its text from Go, folded and cut into words. search_posts.words holds the text, from which triggers feed
// FTS5: SQLite 3.40 can read that, while it lacks contentless_delete. NULL marks a row whose text must be made: a new one,
// one changed by anybody, or one from before. A partial index finds those rows, and a job makes their text.
type wordIndex struct {
	table   string
	columns []string
}

func init() {
	m.Register(func(app core.App) error {
		for _, w := range []wordIndex{
			{"posts", []string{"caption", "place"}},
			{"users", []string{"handle", "name"}},
			{"hashtags", []string{"name"}},
		} {
			collection, err := app.FindCollectionByNameOrId(w.table)
			if err != nil {
				return err
			}
			createdAt := func(row string) string { return `coalesce(julianday(` + row + `.created), 2440587.5)` }
			if collection.Fields.GetByName("created") == nil { // a users collection that existed before Doubletap may lack it
				createdAt = func(string) string { return `julianday('now')` }
			}
			for _, statement := range w.createStatements(createdAt) {
				if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
					return fmt.Errorf("index the words of %s: %s: %w", w.table, statement, err)
				}
			}
		}
		return nil
	}, refuseDown)
}

// createStatements returns the statements that create the index. createdAt returns the SQL of the day on which a row was
// created. A place is the millisecond of its creation, with room for a million rows in each.
func (w wordIndex) createStatements(createdAt func(row string) string) []string {
	place := func(row string) string {
		return "CAST(round((" + createdAt(row) + " - 2440587.5) * 86400000) AS INTEGER) * 1000000"
	}
	changed := make([]string, len(w.columns))
	for i, column := range w.columns {
		changed[i] = "OLD." + column + " IS NOT NEW." + column
	}
	in := strings.NewReplacer("@table", w.table, "@columns", strings.Join(w.columns, ", "), "@changed", strings.Join(changed, " OR "),
		"@first", place("NEW"), "@stored", place("t")).Replace
	return []string{
		in(`CREATE TABLE search_@table (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, words TEXT)`),
		in(`CREATE INDEX search_@table_waiting ON search_@table (n) WHERE words IS NULL`),
		in(`CREATE VIRTUAL TABLE search_@table_words USING fts5(words, content='search_@table', content_rowid='n', prefix='2 3', tokenize='ascii')`),
		in(`INSERT INTO search_@table (n, id) SELECT @stored + row_number() OVER (PARTITION BY @stored ORDER BY t.id) - 1, t.id FROM @table t`),
		// not an upsert: the conflict clause of the statement that fires a trigger overrides the trigger's own
		in(`CREATE TRIGGER search_@table_in AFTER INSERT ON @table BEGIN
			UPDATE search_@table SET words = NULL WHERE id = NEW.id;
			INSERT INTO search_@table (n, id) SELECT max(@first, coalesce((SELECT max(n) + 1 FROM search_@table WHERE n < @first + 1000000), 0)), NEW.id
				WHERE NOT EXISTS (SELECT 1 FROM search_@table WHERE id = NEW.id); END`),
		// a like updates the post's row too: only a change of the words may fire this
		in(`CREATE TRIGGER search_@table_changed AFTER UPDATE OF @columns ON @table WHEN @changed BEGIN
			UPDATE search_@table SET words = NULL WHERE id = NEW.id; END`),
		in(`CREATE TRIGGER search_@table_out AFTER DELETE ON @table BEGIN DELETE FROM search_@table WHERE id = OLD.id; END`),
		in(`CREATE TRIGGER search_@table_indexed AFTER UPDATE OF words ON search_@table WHEN OLD.words IS NOT NEW.words BEGIN
			INSERT INTO search_@table_words (search_@table_words, rowid, words) SELECT 'delete', OLD.n, OLD.words WHERE OLD.words IS NOT NULL;
			INSERT INTO search_@table_words (rowid, words) SELECT NEW.n, NEW.words WHERE NEW.words IS NOT NULL; END`),
		in(`CREATE TRIGGER search_@table_gone AFTER DELETE ON search_@table WHEN OLD.words IS NOT NULL BEGIN
			INSERT INTO search_@table_words (search_@table_words, rowid, words) VALUES ('delete', OLD.n, OLD.words); END`),
	}
}
