package main

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// otherDeletions are the places other than sweep.DeleteRows that delete rows by SQL at which an owner's record may point, with the reason.
var otherDeletions = map[string]string{
	"internal/sweep/cascade.go ":      "the one place: it has owners' records follow",
	"internal/fastpath/like.go likes": "the fast path is closed while a relation points at likes",
	"internal/adoption/leave.go ":     "nothing may point at jobs and secrets, and no server runs when they are emptied",
	"docs/schema.txt devices":         "credentialChanged, which causes it, has owners' records follow",
}

var deletedTable = regexp.MustCompile(`(?:DELETE FROM|REPLACE INTO|UPDATE OR REPLACE)\s*(?:\{\{)?(\w*)`)

// TestRowsAreDeletedInOnePlace fails for SQL that deletes rows of ours and forgets the owners' records that point at them.
func TestRowsAreDeletedInOnePlace(t *testing.T) {
	found := deletionsIn(testenv.ParseSource(t, "."))
	schema, err := os.ReadFile("docs/schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range deletedTables(string(schema)) { // by triggers
		found["docs/schema.txt "+table] = true
	}
	for place := range found {
		if otherDeletions[place] == "" {
			t.Errorf("%s: use sweep.DeleteRows, or say in otherDeletions why not", place)
		}
	}
	for place := range otherDeletions {
		if !found[place] {
			t.Errorf("%s is not there any more", place)
		}
	}
}

func TestDeletionChecksSeeAFault(t *testing.T) {
	for text, want := range map[string]int{
		"var s = `DELETE FROM likes WHERE id = {:id}`":    1,
		"var s = `DELETE FROM {{likes}} WHERE true`":      1,
		"func f(t string) { g(`DELETE FROM ` + t) }":      1,
		"var s = `REPLACE INTO follows (id) VALUES ('')`": 1,
		"var s = `DELETE FROM jobs WHERE true`":           0,
		"var s = `DELETE FROM mailings WHERE true`":       0,
	} {
		found := deletionsIn(testenv.ParseFixture(t, map[string]string{"internal/fixture.go": "package fixture\n\n" + text}))
		if len(found) != want {
			t.Errorf("%s: found %v, want %d", text, found, want)
		}
	}
}

// deletionsIn returns the places, as file and table, where product code deletes rows of ours by SQL.
func deletionsIn(source *testenv.Source) map[string]bool {
	found := map[string]bool{}
	for _, file := range source.Paths() {
		if !isProductFile(file) {
			continue
		}
		ast.Inspect(source.Files[file], func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					for _, table := range deletedTables(text) {
						found[file+" "+table] = true
					}
				}
			}
			return true
		})
	}
	return found
}

// deletedTables returns the tables from which SQL deletes rows at which an owner's record may point; one whose name is not in the text is "".
func deletedTables(text string) (tables []string) {
	for _, match := range deletedTable.FindAllStringSubmatch(text, -1) {
		if table := match[1]; table == "" || collection.IsOurs(table) && !collection.Describe(table).NoReferences {
			tables = append(tables, table)
		}
	}
	return tables
}
