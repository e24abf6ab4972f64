package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/doubletap/doubletap/internal/load"
)

// ownSubject is the subject that is compared with otherSubjects, in their order.
const ownSubject = "doubletap"

var otherSubjects = []string{"careful", "plain"}

// WriteTable writes the figures as a Markdown table for people to read.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s · %d cores of %s · Linux %s · %s\n%s · %d rounds of %g s a case, medians · load generator on the same cores, in its own process\n\n",
		r.When.Format("2006-01-02 15:04"), r.Machine.Cores, r.Machine.CPU, r.Machine.Kernel, r.Machine.Go, r.Size, r.Rounds, r.Seconds)
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	head := []string{"", ""}
	for _, s := range r.Subjects {
		head = append(head, s.Name)
	}
	for _, name := range r.comparedSubjects() {
		head = append(head, "× "+name)
	}
	r.writeRow(t, head)
	rule := slices.Repeat([]string{"---:"}, len(head))
	rule[0], rule[1] = "---", "---"
	r.writeRow(t, rule)
	for _, name := range r.Cases {
		label := caseTitle(name)
		for _, c := range columns {
			if cells := r.rowCells(name, c); cells != nil {
				r.writeRow(t, append([]string{label, c.unit}, cells...))
				label = ""
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	r.writeNotes(w)
	return nil
}

func (r *Report) writeRow(w io.Writer, cells []string) {
	fmt.Fprintln(w, "| "+strings.Join(cells, "\t| ")+"\t|")
}

// comparedSubjects returns those of otherSubjects that took part, if our own did too.
func (r *Report) comparedSubjects() (names []string) {
	for _, name := range otherSubjects {
		if r.HasSubject(ownSubject) && r.HasSubject(name) {
			names = append(names, name)
		}
	}
	return names
}

// rowCells returns a case's figures of one metric, or nil if no subject has one.
func (r *Report) rowCells(name string, c column) (cells []string) {
	if c.metric == After && !slices.Contains(memoryCases, name) {
		return nil
	}
	any := false
	for _, s := range r.Subjects {
		value, ok := r.FigureOf(name, c.metric, s.Name)
		any = any || ok
		switch {
		case !ok && r.Results[name][s.Name] != nil && len(r.Results[name][s.Name].Median) == 0:
			cells = append(cells, "failed ✗")
		case !ok:
			cells = append(cells, "")
		case len(r.Results[name][s.Name].Wrong) > 0:
			cells = append(cells, formatNumber(value)+" ✗")
		default:
			cells = append(cells, formatNumber(value))
		}
	}
	if !any {
		return nil
	}
	for _, name2 := range r.comparedSubjects() {
		a, okA := r.FigureOf(name, c.metric, ownSubject)
		b, okB := r.FigureOf(name, c.metric, name2)
		if okA && okB && a > 0 && b > 0 {
			cells = append(cells, "**"+formatNumber(c.improvement(a, b))+"**")
		} else {
			cells = append(cells, "")
		}
	}
	return cells
}

// writeNotes writes what the subjects are and what went wrong; a figure with ✗ is worth no more than its note.
func (r *Report) writeNotes(w io.Writer) {
	fmt.Fprintln(w)
	for _, s := range r.Subjects {
		fmt.Fprintf(w, "- %s: %s\n", s.Name, s.What)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Limits)) {
		fmt.Fprintf(w, "- limit, %s: %s likes/s\n", name, formatNumber(r.Limits[name]))
	}
	r.writeGrowth(w)
	for _, name := range r.Cases {
		for _, s := range r.Subjects {
			if result := r.Results[name][s.Name]; result != nil {
				if n := result.Median[load.Refused]; n > 0 {
					fmt.Fprintf(w, "- %s, %s: %s requests were put off with 429 or 503 and came again\n", s.Name, name, formatNumber(n))
				}
				for _, wrong := range result.Wrong {
					fmt.Fprintf(w, "- ✗ %s, %s: %s\n", s.Name, name, wrong)
				}
			}
		}
	}
}

// writeGrowth writes how much slower each subject is with more data.
func (r *Report) writeGrowth(w io.Writer) {
	for _, name := range r.Cases {
		small, times, grown := strings.Cut(name, "@")
		if !grown {
			continue
		}
		for _, s := range r.Subjects {
			a, okA := r.FigureOf(small, load.P50, s.Name)
			b, okB := r.FigureOf(name, load.P50, s.Name)
			if okA && okB && a > 0 {
				fmt.Fprintf(w, "- with %s the data, %s, %s: p50 %s ms instead of %s, %s times as long\n", times, s.Name, small, formatNumber(b), formatNumber(a), formatNumber(b/a))
			}
		}
	}
}
