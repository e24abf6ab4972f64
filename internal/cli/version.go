package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/setup"
)

// versionCommand prints the version of Doubletap, which is also that of --version. It needs no data folder, so none is
// opened or made for it.
func versionCommand(app *pocketbase.PocketBase) *cobra.Command {
	if app.RootCmd.Version == pocketbase.Version { // else an owner says what --version prints
		app.RootCmd.Version = setup.Version()
	}
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of Doubletap",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !asJSON {
				_, err := fmt.Fprintln(c.OutOrStdout(), setup.Version())
				return err
			}
			return json.NewEncoder(c.OutOrStdout()).Encode(struct {
				Version    string `json:"version"`
				PocketBase string `json:"pocketbase"`
				Go         string `json:"go"`
			}{setup.Version(), setup.ModuleVersion("github.com/pocketbase/pocketbase"), runtime.Version()})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an object with the versions of Doubletap, PocketBase and Go")
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{Priority: -99999, Func: func(e *core.BootstrapEvent) error {
		if asked, _, err := app.RootCmd.Find(os.Args[1:]); err == nil && asked == c {
			slog.SetDefault(slog.New(slog.DiscardHandler)) // PocketBase warns when nothing was opened
			return nil
		}
		return e.Next()
	}})
	return c
}
