package cli_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newerSQL matches SQL that SQLite 3.40 cannot read in a schema, but newer versions can.
var newerSQL = regexp.MustCompile(`(?is)\b(group_concat|string_agg|json_group_array|json_group_object|sum|count|min|max|avg|total)\s*\([^;]*?\bORDER\s+BY\b[^()]*\)\s*(FROM|,)` +
	`|\b(concat|concat_ws|string_agg|octet_length|jsonb\w*|timediff|unistr\w*|if)\s*\(|'subsec(ond)?'|contentless_delete`)

func TestStoredSQLStaysWithinSQLite340(t *testing.T) {
	s := seededService(t)
	var stored []struct{ Name, SQL string }
	if err := s.App.DB().NewQuery(`SELECT name, sql FROM sqlite_master WHERE sql != ''`).All(&stored); err != nil {
		t.Fatal(err)
	}
	for _, object := range stored {
		if newer := newerSQL.FindString(object.SQL); newer != "" {
			t.Errorf("%s has %q, which SQLite 3.40 does not read", object.Name, newer)
		}
	}
	for text, newer := range map[string]bool{
		`SELECT group_concat(CASE WHEN c GLOB 'x' THEN ' ' || c ELSE c END, '' ORDER BY key) FROM (SELECT 1)`: true,
		`SELECT group_concat(c, '') FROM (SELECT c FROM t ORDER BY key)`:                                      false,
		`SELECT unixepoch('now', 'subsec')`:                                                                   true,
		`CREATE VIRTUAL TABLE f USING fts5(a, content='', contentless_delete=1)`:                              true,
		`CREATE INDEX i ON t (concat(a, b))`:                                                                  true,
	} {
		if newerSQL.MatchString(text) != newer {
			t.Errorf("%s: newer is %v", text, !newer)
		}
	}
}

// TestTheRescueSystemsSQLiteReadsAFolder: somebody who has only Debian's own sqlite3 can use a folder.
func TestTheRescueSystemsSQLiteReadsAFolder(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3: make needs")
	}
	s := seededService(t)
	ask := func(file, input string) string {
		t.Helper()
		c := exec.Command(shell, "-bail", "-batch", file)
		c.Stdin = strings.NewReader(input)
		out, err := c.CombinedOutput()
		if err != nil || strings.Contains(string(out), "Error") && len(out) < 2000 {
			t.Fatalf("sqlite3 %s: %v: %.2000s", filepath.Base(file), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	file := filepath.Join(s.App.DataDir(), "data.db")
	if got := ask(file, "PRAGMA integrity_check;"); got != "ok" {
		t.Errorf("integrity_check says %s", got)
	}
	dump := ask(file, ".dump")
	if strings.Contains(dump, "ROLLBACK; -- due to errors") {
		t.Error("the dump is not whole")
	}
	again := filepath.Join(t.TempDir(), "again.db")
	ask(again, dump)
	const counts = `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts), (SELECT count(*) FROM likes), (SELECT count(*) FROM sqlite_master WHERE type IN ('trigger', 'index'));`
	if before, after := ask(file, counts), ask(again, counts); before != after || strings.HasPrefix(after, "0|") {
		t.Errorf("%s came back of %s", after, before)
	}
	// the search index answers before and after, and follows when the rescue system's shell changes a caption
	const find = `SELECT count(*) FROM search_posts_words WHERE search_posts_words MATCH '"a"*';`
	if before, after := ask(file, find), ask(again, find); before != after || before == "0" {
		t.Errorf("the search finds %s posts in what came back, and %s before", after, before)
	}
	ask(again, `UPDATE posts SET caption = 'rescued'; UPDATE search_posts SET words = 'rescued';`)
	if got := ask(again, `SELECT count(*) = (SELECT count(*) FROM posts) FROM search_posts_words WHERE search_posts_words MATCH 'rescued';`); got != "1" {
		t.Errorf("the search does not find what was changed")
	}
	if got := ask(again, "PRAGMA integrity_check;"); got != "ok" {
		t.Errorf("integrity_check of the reloaded says %s", got)
	}
}
