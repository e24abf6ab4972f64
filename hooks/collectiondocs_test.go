package hooks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/collection"
)

// TestTheDocsHaveEveryCollection compares the tables of docs/retention.md and docs/webhooks.md with the descriptors.
// Rewrite them with: go test ./hooks -run DocsHaveEveryCollection -update
func TestTheDocsHaveEveryCollection(t *testing.T) {
	t.Parallel()
	var bounds, events []string
	for _, d := range collection.All {
		if d.Bound != "" {
			bounds = append(bounds, fmt.Sprintf("| `%s` | %s |", d.Name, d.Bound))
		}
		types := ""
		for _, verb := range d.Events.Verbs() {
			types += " `" + d.Events.Type(verb) + "`"
		}
		if types != "" {
			events = append(events, fmt.Sprintf("| `%s` |%s |", d.Name, types))
		}
	}
	requireRows(t, "../docs/retention.md", "| table | bounded by |\n|---|---|\n", bounds)
	requireRows(t, "../docs/webhooks.md", "| collection | events |\n|---|---|\n", events)
}

// requireRows fails unless the table with the header has the rows, and behind them only rows about what is no collection.
// With -update it writes them.
func requireRows(t *testing.T, file, header string, rows []string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), header)
	table, after, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		t.Fatalf("%s has no table %q", file, header)
	}
	for row := range strings.SplitSeq(table, "\n") {
		if name := strings.Split(row, "`"); len(name) < 2 || !collection.IsOurs(name[1]) {
			rows = append(rows, row)
		}
	}
	requireSameFile(t, file, before+header+strings.Join(rows, "\n")+"\n\n"+after)
}
