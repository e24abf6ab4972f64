package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/adoption"
)

func adoptCommand(app core.App) *cobra.Command {
	var check, asJSON bool
	c := &cobra.Command{
		Use:   "adopt",
		Short: "Give a PocketBase folder that has users Doubletap, or say what that would change",
		Long: "Apply Doubletap's migrations to a folder of PocketBase, as the next serve would, and say what became of the app.\n" +
			"Nothing that was closed opens. What clashes is named, all of it at once, before anything changes, and is an error.\n" +
			"--check changes nothing itself. PocketBase, though, upgrades its own tables of an older folder as soon as it\n" +
			"opens it: check a copy of the folder that another version serves. In your own program, social.Adopt decides what this command asks.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			plan, err := adoption.Examine(app)
			if err != nil {
				return fmt.Errorf("adopt: %w", err)
			}
			if err := plan.Err(); err == nil && !check && !plan.Adopted {
				if err := app.RunAllMigrations(); err != nil {
					return fmt.Errorf("adopt: %w", err)
				}
			}
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(plan); err != nil {
					return err
				}
			} else {
				printPlan(c.OutOrStdout(), plan)
			}
			if n := len(plan.Clashes); n > 0 {
				return fmt.Errorf("adopt: %d things have to be decided first; nothing is changed", n)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "only say what would change, and what has to be decided first")
	c.Flags().BoolVar(&asJSON, "json", false, "print an object with changes and clashes, each with collection, field and rows")
	return c
}

func printPlan(out io.Writer, plan *adoption.Plan) {
	if plan.Adopted {
		fmt.Fprintln(out, "The folder has Doubletap already.")
		return
	}
	fmt.Fprintf(out, "Users: %d\n", plan.Users)
	for _, change := range plan.Changes {
		fmt.Fprintf(out, "  %s: %s\n", change.What(), change.Becomes)
	}
	if len(plan.Clashes) > 0 {
		fmt.Fprintln(out, "To be decided first:")
	}
	for _, clash := range plan.Clashes {
		fmt.Fprintf(out, "  %s\n", clash)
	}
}
