// Package cli holds the commands of the program: seed, demo, doctor, photos, jobs, webhooks, bench, adopt, leave, healthcheck, version.
package cli

import (
	"context"
	"errors"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	_ "github.com/doubletap/doubletap/internal/visibility" // the rules of the collections call its functions
	_ "github.com/doubletap/doubletap/migrations"          // the collections
)

// AddCommands adds Doubletap's commands to a program. The product's hooks must be bound to the same app, since the
// commands store through them. prepare opens what jobs need and a server opens when it starts.
func AddCommands(app *pocketbase.PocketBase, prepare func() error) {
	for _, c := range []*cobra.Command{seedCommand(app), demoCommand(app), doctorCommand(app), photosCommand(app), jobsCommand(app, prepare), webhooksCommand(app), benchCommand(app), adoptCommand(app), leaveCommand(app), healthcheckCommand(), versionCommand(app)} {
		c.SilenceUsage = true // an error is one line, which main prints
		c.SilenceErrors = true
		app.RootCmd.AddCommand(c)
	}
	checkUsage(app)
}

// interruptible runs fn with a context that ends when the program is asked to end. PocketBase closes the databases
// then; interruptible makes it wait for fn first, and fn's error becomes the program's.
func interruptible(app core.App, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	over := make(chan struct{})
	var failed error
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		select {
		case <-over: // PocketBase has the error already
			return e.Next()
		default:
		}
		cancel()
		<-over
		return errors.Join(e.Next(), failed)
	})
	defer close(over)
	failed = fn(ctx)
	return failed
}
