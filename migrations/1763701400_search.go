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
type wordIndex struct {
	table   string
	columns []string
}

// unspacedGlob matches the characters of scripts that are written without spaces between words, as a set of GLOB:
// South East Asian ones, then everything from the Chinese radicals on. Each such character is a word of its own in
// the index.
const unspacedGlob = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff]"

func init() {
	m.Register(func(app core.App) error {
		for _, w := range []wordIndex{
			{"posts", []string{"caption", "place"}},
			{"users", []string{"handle", "name"}},
			{"hashtags", []string{"name"}},
		} {
			if app.HasTable("search_" + w.table) {
				return fmt.Errorf("doubletap needs a table of its own, but there is a search_%s; rename it and start again", w.table)
			}
			collection, err := app.FindCollectionByNameOrId(w.table)
			if err != nil {
				return err
			}
			created := "created"
			if collection.Fields.GetByName(created) == nil { // possible for a users collection that existed before Doubletap
				created = ""
			}
			for _, statement := range w.createStatements(created) {
				if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
					return fmt.Errorf("index the words of %s: %w", w.table, err)
				}
			}
		}
		return nil
	}, nil)
}

// createStatements returns the statements that create the index; created is the table's column with the time of
// creation, or "".
func (w wordIndex) createStatements(created string) []string {
	when := func(row string) string {
		if created == "" {
			return placeSQL("'now'")
		}
		return placeSQL(row + "." + created)
	}
	text := make([]string, len(w.columns))
	changed := make([]string, len(w.columns))
	for i, column := range w.columns {
		text[i] = spacedSQL("t."+column) + " " + column
		changed[i] = "OLD." + column + " IS NOT NEW." + column
	}
	// not a view: triggers that name one prevent PocketBase from changing a field to several values
	rows := "SELECT s.n, " + strings.Join(text, ", ") + " FROM " + w.table + " t JOIN search_" + w.table + " s ON s.id = t.id"
	in := strings.NewReplacer("@table", w.table, "@columns", strings.Join(w.columns, ", "), "@rows", rows,
		"@changed", strings.Join(changed, " OR "), "@first", when("NEW")).Replace
	return []string{
		in(`CREATE TABLE search_@table (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)`),
		in(`CREATE VIRTUAL TABLE search_@table_words USING fts5(@columns, content='', contentless_delete=1, prefix='2 3', tokenize='unicode61 remove_diacritics 2')`),
		in(`INSERT INTO search_@table (n, id) SELECT ` + when("t") + ` + row_number() OVER (PARTITION BY ` + when("t") + ` ORDER BY t.id) - 1, t.id FROM @table t`),
		in(`INSERT INTO search_@table_words (rowid, @columns) @rows`),
		in(`CREATE TRIGGER search_@table_in AFTER INSERT ON @table BEGIN
			INSERT INTO search_@table (n, id) VALUES (max(@first, coalesce((SELECT max(n) + 1 FROM search_@table WHERE n < @first + 1000000), 0)), NEW.id);
			INSERT INTO search_@table_words (rowid, @columns) @rows WHERE t.id = NEW.id; END`),
		// a like updates the post's row too: only a change of the words may fire this
		in(`CREATE TRIGGER search_@table_changed AFTER UPDATE OF @columns ON @table WHEN @changed BEGIN
			REPLACE INTO search_@table_words (rowid, @columns) @rows WHERE t.id = NEW.id; END`),
		in(`CREATE TRIGGER search_@table_out AFTER DELETE ON @table BEGIN
			DELETE FROM search_@table_words WHERE rowid = (SELECT n FROM search_@table WHERE id = OLD.id);
			DELETE FROM search_@table WHERE id = OLD.id; END`),
	}
}

// placeSQL returns the SQL of the first place for a row created at a time: milliseconds, with room for a million rows
// in each.
func placeSQL(created string) string {
	return `CAST(round(coalesce(unixepoch(` + created + `, 'subsec'), 0) * 1000) AS INTEGER) * 1000000`
}

// spacedSQL returns the SQL of a text with spaces around each character of unspacedGlob: json_each goes through a
// list that has an element for each character of the text.
func spacedSQL(text string) string {
	return `CASE WHEN ` + text + ` GLOB '*` + unspacedGlob + `*' THEN (
		SELECT group_concat(CASE WHEN c GLOB '` + unspacedGlob + `' THEN ' ' || c || ' ' ELSE c END, '' ORDER BY key) FROM (
			SELECT key, substr(` + text + `, key + 1, 1) c FROM json_each('[0' || replace(hex(zeroblob(length(` + text + `))), '00', ',0') || ']')))
		ELSE ` + text + ` END`
}
