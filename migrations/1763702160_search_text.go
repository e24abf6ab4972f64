package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// The search index now gets its text from Go, folded and cut into words; before, a trigger cut it, in time
	// proportional to the square of its length and without Unicode. search_posts.words holds the text, from which
	// triggers feed FTS5: SQLite 3.40 can read that, while it lacks contentless_delete. NULL marks a row whose text
	// must be made: a new one, one changed by anybody, or one from before. A partial index finds those rows, and a
	// job makes their text. Until the job is done, a search finds only the rows that it has reached.
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
			first := `(julianday('now') - 2440587.5) * 86400000`
			if collection.Fields.GetByName("created") != nil { // a users collection that existed before Doubletap may lack it
				first = `(coalesce(julianday(NEW.created), 2440587.5) - 2440587.5) * 86400000`
			}
			for _, statement := range w.textStatements(first) {
				if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
					return fmt.Errorf("index the text of %s: %s: %w", w.table, statement, err)
				}
			}
		}
		return nil
	}, nil)
}

// textStatements returns the statements that create a table's index anew; first is the SQL of the millisecond at
// which a row was created.
func (w wordIndex) textStatements(first string) []string {
	changed := make([]string, len(w.columns))
	for i, column := range w.columns {
		changed[i] = "OLD." + column + " IS NOT NEW." + column
	}
	in := strings.NewReplacer("@table", w.table, "@columns", strings.Join(w.columns, ", "), "@changed", strings.Join(changed, " OR "),
		"@first", "CAST(round("+first+") AS INTEGER) * 1000000").Replace
	return []string{
		in(`DROP TRIGGER IF EXISTS search_@table_in`), in(`DROP TRIGGER IF EXISTS search_@table_changed`), in(`DROP TRIGGER IF EXISTS search_@table_out`),
		in(`DROP TABLE search_@table_words`),
		in(`ALTER TABLE search_@table ADD COLUMN words TEXT`),
		in(`CREATE INDEX search_@table_waiting ON search_@table (n) WHERE words IS NULL`),
		in(`CREATE VIRTUAL TABLE search_@table_words USING fts5(words, content='search_@table', content_rowid='n', prefix='2 3', tokenize='ascii')`),
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
