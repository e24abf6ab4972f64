package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

func doctorCommand(app core.App) *cobra.Command {
	var asJSON, repair bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check the data folder, and repair what can be repaired",
		Long: "Check counters, relations, feeds, notifications, files, photos, rules, indexes and the configuration.\n" +
			"It may run beside a server. It ends with an error when something FAILs; a warning is none.\n" +
			"--repair puts right what needs nobody to decide, in one transaction, and checks again; rules, files\n" +
			"and the configuration are left to you.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			if repair {
				told := out
				if asJSON {
					told = os.Stderr
				}
				if err := repaired(app, told); err != nil {
					return fmt.Errorf("doctor: %w", err)
				}
			}
			all, failed := []Finding{}, 0
			for f := range Examine(app) {
				all = append(all, f)
				if f.State == Fail {
					failed++
				}
				if !asJSON {
					fmt.Fprintln(out, line(f))
				}
			}
			if asJSON {
				text, _ := json.MarshalIndent(all, "", "  ") // texts and numbers always encode
				fmt.Fprintln(out, string(text))
			}
			if failed > 0 {
				return fmt.Errorf("doctor: %d of %d checks failed", failed, len(all))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array of {check, state, count, detail}")
	c.Flags().BoolVar(&repair, "repair", false, "repair what can be repaired first")
	return c
}

func repaired(app core.App, out io.Writer) error {
	done, err := Repair(app)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if n := done[c.name]; n > 0 {
			fmt.Fprintf(out, "repaired %s: %d\n", c.name, n)
		}
	}
	if len(done) == 0 {
		fmt.Fprintln(out, "nothing to repair")
	}
	return nil
}

// line is a finding for a person.
func line(f Finding) string {
	if f.State == OK {
		return fmt.Sprintf("%-4s  %s", f.State, f.Check)
	}
	return fmt.Sprintf("%-4s  %-13s %6d  %s", f.State, f.Check, f.Count, f.Detail)
}
