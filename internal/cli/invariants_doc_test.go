package cli_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/reconcile"
)

var updateDocs = flag.Bool("update", false, "rewrite docs/invariants.md")

// TestTheInvariantsAreDocumented compares docs/invariants.md with the invariants that doctor and the hourly
// reconciliation check.
func TestTheInvariantsAreDocumented(t *testing.T) {
	s := seededService(t)
	all, err := cli.Invariants(s.App)
	if err != nil {
		t.Fatal(err)
	}
	const file, begin = "../../docs/invariants.md", "| check |"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prose, _, found := strings.Cut(string(text), begin)
	if !found {
		t.Fatalf("%s has no table", file)
	}
	want := prose + invariantTable(all)
	if *updateDocs {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not what the code says; rewrite it with: go test ./internal/cli -run InvariantsAreDocumented -update", file)
	}
}

// invariantTable returns a table with one row for all invariants of a name.
func invariantTable(all []*reconcile.Invariant) string {
	var names []string
	first, on := map[string]*reconcile.Invariant{}, map[string][]string{}
	for _, i := range all {
		if first[i.Name] == nil {
			first[i.Name] = i
			names = append(names, i.Name)
		}
		if i.On != "" && !slices.Contains([]string{"relation", "moment", "text"}, i.Name) {
			on[i.Name] = append(on[i.Name], i.On)
		}
	}
	var b strings.Builder
	b.WriteString("| check | invariant | what holds | looked at | when it does not |\n|---|---|---|---|---|\n")
	for _, name := range names {
		i := first[name]
		where := cmp.Or(strings.Join(on[name], ", "), map[string]string{"relation": "each relation of each collection", "moment": "each collection that says when", "text": "each collection with relations"}[name])
		if where != "" {
			where = " (" + where + ")"
		}
		cost, then := "by doctor and hourly", "repaired"
		if i.Cost == reconcile.DoctorOnly {
			cost = "by doctor"
		}
		if i.WhyNotRepaired != "" {
			then = "told: " + i.WhyNotRepaired
		}
		if i.Warns {
			then += "; a warning"
		}
		fmt.Fprintf(&b, "| %s | %s%s | %s | %s | %s |\n", i.Check, name, where, i.Holds, cost, then)
	}
	return b.String()
}
