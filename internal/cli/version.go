package cli

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/pocketbase/pocketbase"
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
		Use:         "version",
		Short:       "Print the version of Doubletap",
		Args:        cobra.NoArgs,
		Annotations: map[string]string{opensNothing: "true"},
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
	return c
}
