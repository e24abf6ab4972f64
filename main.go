// Doubletap is a social backend for photo sharing in one binary: PocketBase with likes, comments, follows, a feed and
// notifications.
package main

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"

	"github.com/doubletap/doubletap/hooks"
)

func main() {
	if err := newProgram().Start(); err != nil {
		fmt.Fprintln(os.Stderr, "doubletap:", err)
		os.Exit(hooks.ExitStatus(err))
	}
}

// newProgram returns PocketBase with Doubletap, and with PocketBase's own command for the migrations of the data
// folder.
func newProgram() *pocketbase.PocketBase {
	app := pocketbase.NewWithConfig(hooks.Config())
	hooks.Bind(app)
	migratecmd.MustRegister(app, app.RootCmd, migratecmd.Config{})
	return app
}
