package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/adoption"
	"github.com/doubletap/doubletap/internal/datafolder"
)

func leaveCommand(app core.App) *cobra.Command {
	var check, drop, asJSON bool
	c := &cobra.Command{
		Use:   "leave",
		Short: "Give the folder back to a plain PocketBase, or say what that would change",
		Long: "Take out of the folder what only Doubletap understands: triggers, rules with its functions, the feed, the index of words,\n" +
			"its steps. The rules and options of users are the app's own again, and people stay signed in. Our collections and our\n" +
			"fields of users stay, for superusers alone; --drop deletes them with their rows and files. Keys, jobs and the secrets of\n" +
			"webhooks go in any case. Stop the service first, and make a backup: nothing else undoes it. Runs again after a crash. Before a later\n" +
			"leave --drop stop a plain PocketBase that serves the folder too: it takes no lock, so nobody can refuse beside it.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := datafolder.Lock(app.DataDir()); err != nil {
				return fmt.Errorf("leave: %w", err)
			}
			leaving, err := ourPartOf()
			if err != nil {
				return fmt.Errorf("leave: %w", err)
			}
			leaving.Check, leaving.Drop = check, drop
			plan, err := adoption.Leave(app, leaving)
			if err != nil {
				return fmt.Errorf("leave: %w", err)
			}
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(plan); err != nil {
					return err
				}
			} else {
				printDeparture(c.OutOrStdout(), plan, check, app.DataDir())
			}
			if n := len(plan.Clashes); n > 0 {
				return fmt.Errorf("leave: %d things have to be decided first; nothing is changed", n)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "only say what would change, and what has to be decided first")
	c.Flags().BoolVar(&drop, "drop", false, "delete Doubletap's collections and its fields of users, with all that is in them")
	c.Flags().BoolVar(&asJSON, "json", false, "print an object with changes and clashes, each with collection, field and rows")
	return c
}

// ourPartOf returns what of a folder is ours, and not an owner's whose steps are in the same program.
func ourPartOf() (l adoption.Leaving, err error) {
	ours := &shippedCollections{}
	if err := json.Unmarshal(builtSchema, ours); err != nil {
		return l, fmt.Errorf("read the schema that is stored in the program: %w", err)
	}
	for _, object := range ours.Objects {
		switch object.Type {
		case "trigger":
			l.Triggers = append(l.Triggers, object.Name)
		case "index":
			l.Indexes = append(l.Indexes, object.Name)
		}
	}
	for _, file := range ours.Migrations {
		if !slices.ContainsFunc(core.SystemMigrations.Items(), func(m *core.Migration) bool { return m.File == file }) {
			l.Steps = append(l.Steps, file)
		}
	}
	at := slices.IndexFunc(ours.Collections, func(c *core.Collection) bool { return c.Name == "users" })
	if at < 0 {
		return l, errors.New("the program ships no users")
	}
	l.Shipped = ours.Collections[at]
	return l, nil
}

func printDeparture(out io.Writer, plan *adoption.Plan, check bool, dir string) {
	if !plan.Adopted {
		fmt.Fprintln(out, "Doubletap has left the folder already; --drop deletes what it kept.")
		return
	}
	if check {
		fmt.Fprintf(out, "Nothing but a backup undoes this. The folder has %d MB.\n", folderSize(dir)>>20)
	}
	for _, change := range plan.Changes {
		fmt.Fprintf(out, "  %s: %s\n", change.What(), change.Becomes)
	}
	switch {
	case len(plan.Clashes) > 0:
		fmt.Fprintln(out, "To be decided first:")
		for _, clash := range plan.Clashes {
			fmt.Fprintf(out, "  %s\n", clash)
		}
	case !check:
		fmt.Fprintln(out, "A plain PocketBase can serve the folder now.")
	}
}

// folderSize returns how many bytes the files of a folder have, those that can be looked at.
func folderSize(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it is a size for people
		}
		if info, err := entry.Info(); err == nil && !info.IsDir() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
