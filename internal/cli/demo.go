package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/setup"
)

func demoCommand(app core.App) *cobra.Command {
	address := ""
	c := &cobra.Command{
		Use:     "demo",
		Short:   "Serve a small world to look around in",
		Long:    "Make a small world of people, photos and what they do in a data folder of its own, unless it is there, and serve it.",
		Example: "  doubletap demo --dir=demo_data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if os.Getenv("DOUBLETAP_MODE") == "" { // a demo is not production: whoever looks around may look at /metrics too
				if err := os.Setenv("DOUBLETAP_MODE", "development"); err != nil {
					return fmt.Errorf("demo: %w", err)
				}
			}
			at := cmp.Or(address, os.Getenv("DOUBLETAP_HTTP"), "127.0.0.1:8090")
			if err := checkAddressFree(c.Context(), at); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			err := interruptible(app, func(ctx context.Context) error {
				if err := app.RunAllMigrations(); err != nil {
					return fmt.Errorf("migrate: %w", err)
				}
				_, err := demo.Create(ctx, db.WithContext(ctx, app), newProgress("demo").reportCount)
				return err
			})
			if err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			announceDemo(app, c.OutOrStdout())
			err = apis.Serve(app, apis.ServeConfig{HttpAddr: at})
			if err != nil && !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("demo: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&address, "http", "", "the address to listen on (default DOUBLETAP_HTTP or 127.0.0.1:8090)")
	return c
}

// checkAddressFree returns an error if the address is in use. It is called before half a minute is spent on a world
// that could not be served there.
func checkAddressFree(ctx context.Context, address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%w: stop what listens there, or choose another address with --http=127.0.0.1:8091", err)
	}
	if err := listener.Close(); err != nil {
		return fmt.Errorf("leave %s: %w", address, err)
	}
	return nil
}

// announceDemo prints where the demo is and how to sign in, once the server listens.
func announceDemo(app core.App, out io.Writer) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: -99999, Func: func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		host, _, err := net.SplitHostPort(e.Server.Addr)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", e.Server.Addr, err)
		}
		ip := net.ParseIP(host)
		local := host == "localhost" || (ip != nil && ip.IsLoopback())
		url := setup.ReachableURL(e.Server.Addr, false)
		fmt.Fprintf(out, "The demo is at %s\n", url)
		fmt.Fprintf(out, "  sign in as    ada       %s\n", passwordHint(e.App, "users", "ada@example.com"))
		fmt.Fprintf(out, "  or as         bob       %s\n", passwordHint(e.App, "users", "bob@example.com"))
		fmt.Fprintf(out, "  dashboard     %s/_/\n", url)
		fmt.Fprintf(out, "  as            %s  %s\n", demo.AdminEmail, passwordHint(e.App, core.CollectionNameSuperusers, demo.AdminEmail))
		if !local {
			fmt.Fprintln(out, "Whoever reaches this address can come in with these.")
		}
		return nil
	}})
}

// passwordHint returns the password of a login if it is still the demo's, otherwise a remark.
func passwordHint(app core.App, collection, email string) string {
	record, found, err := db.Optional(app.FindAuthRecordByEmail(collection, email))
	switch {
	case err != nil:
		return "(cannot be read: " + err.Error() + ")"
	case !found:
		return "(gone)"
	case !record.ValidatePassword(demo.Password):
		return "(with a password of your own)"
	}
	return "password " + demo.Password
}
