package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
)

func doctorCommand(app core.App) *cobra.Command {
	var asJSON, repair bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check the data folder, and repair what can be repaired",
		Long: "Check counters, relations, feeds, notifications, files, photos, rules, indexes and the configuration.\n" +
			"It may run beside a server. It ends with an error when something FAILs; a warning is none.\n" +
			"--repair puts right what needs nobody to decide, in short steps that a server beside it hardly notices, and checks\n" +
			"again; rules, files and the configuration are left to you. What cannot be repaired keeps nothing else from it.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return interruptible(app, func(ctx context.Context) error {
				return runDoctor(ctx, db.WithContext(ctx, app), c.OutOrStdout(), asJSON, repair)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array of {check, state, count, detail}")
	c.Flags().BoolVar(&repair, "repair", false, "repair what can be repaired first")
	return c
}

func runDoctor(ctx context.Context, app core.App, out io.Writer, asJSON, repair bool) (err error) {
	var all []Finding
	var failed error
	progress := newProgress("doctor")
	options := reconcile.ExamineOptions{Report: progress.reportWork}
	if repair {
		repairsTo := out
		if asJSON {
			repairsTo = os.Stderr
		}
		var done map[string]int64
		if done, all, failed = Repair(ctx, app, options); all == nil {
			return fmt.Errorf("doctor: %w", failed)
		}
		printRepairs(repairsTo, done, failed)
	} else if all, err = Examine(ctx, app, options); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	progress.endLine()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if asJSON {
		text, _ := json.MarshalIndent(all, "", "  ") // texts and numbers always encode
		fmt.Fprintln(out, string(text))
	}
	wrong := 0
	for _, f := range all {
		if f.State == StateFail {
			wrong++
		}
		if !asJSON {
			fmt.Fprintln(out, findingLine(f))
		}
	}
	switch {
	case failed != nil:
		return fmt.Errorf("doctor: %w", failed)
	case wrong > 0:
		return fmt.Errorf("doctor: %d of %d checks failed", wrong, len(all))
	}
	return nil
}

func printRepairs(out io.Writer, done map[string]int64, failed error) {
	for _, check := range checkOrder {
		if n := done[check]; n > 0 {
			fmt.Fprintf(out, "repaired %s: %d\n", check, n)
		}
	}
	if len(done) == 0 && failed == nil {
		fmt.Fprintln(out, "nothing to repair")
	}
}

// findingLine returns a finding as a line for people.
func findingLine(f Finding) string {
	switch {
	case f.State == StateOK && f.Detail != "":
		return fmt.Sprintf("%-4s  %-13s         %s", f.State, f.Check, f.Detail)
	case f.State == StateOK:
		return fmt.Sprintf("%-4s  %s", f.State, f.Check)
	}
	return fmt.Sprintf("%-4s  %-13s %6d  %s", f.State, f.Check, f.Count, f.Detail)
}
