package limit

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the table in docs/limits.md")

const page = "../../docs/limits.md"

// limitsTable matches the table of the page.
var limitsTable = regexp.MustCompile(`(?s)\| limit \|.*?\n\n`)

// TestTheLimitsAreDocumented compares docs/limits.md with the table in code.
func TestTheLimitsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got, want := limitsTable.FindString(string(text)), tableOfDocs()
	if got == want {
		return
	}
	if !*update || got == "" {
		t.Fatalf("docs/limits.md has\n%s\nwant\n%s\n(go test ./internal/limit -update)", got, want)
	}
	if err := os.WriteFile(page, []byte(strings.Replace(string(text), got, want, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tableOfDocs returns the table of the page.
func tableOfDocs() string {
	var table strings.Builder
	table.WriteString("| limit | for each | what is counted | units |\n|---|---|---|---|\n")
	for _, d := range Definitions {
		units := fmt.Sprintf("%d in %s", d.Most, periodName(d.In))
		if d.In == 0 {
			units = fmt.Sprintf("%d at the same time", d.Most)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", d.Name, d.Per, d.About, units)
	}
	return table.String() + "\n"
}

func periodName(d time.Duration) string {
	switch {
	case d == 24*time.Hour:
		return "a day"
	case d == time.Hour:
		return "an hour"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}
