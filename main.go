// Doubletap is a social backend for photo sharing in one binary: PocketBase with likes,
// comments, follows, a feed and notifications.
package main

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase"

	"doubletap/hooks"
)

func main() {
	app := pocketbase.NewWithConfig(hooks.Config())
	hooks.Bind(app)
	if err := app.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "doubletap:", err)
		os.Exit(1)
	}
}
