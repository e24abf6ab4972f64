package command

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
	"github.com/pocketbase/pocketbase/tools/types"
	"github.com/spf13/cobra"

	"doubletap/internal/db"
	"doubletap/internal/setup"
)

const adminEmail = "admin@example.com"

// CreateDemo makes the small world of the demonstration, in one transaction, and reports whether it did: a folder that
// has it already is left as it is, but for a superuser where there is none. In a folder
// with other people it is an error, as the logins of a demonstration are no secret.
func CreateDemo(ctx context.Context, app core.App, report func(done, total int)) (made bool, err error) {
	users, err := app.CountRecords("users")
	if err != nil {
		return false, fmt.Errorf("look for people: %w", err)
	}
	superusers, err := app.CountRecords(core.CollectionNameSuperusers)
	if err != nil {
		return false, fmt.Errorf("look for superusers: %w", err)
	}
	stage := newDemoCast()
	ada, err := db.FindRecord(app, "users", stage.people["ada"].id)
	if err != nil {
		return false, err
	}
	there := ada != nil
	if !there && users+superusers > 0 {
		return false, fmt.Errorf("the folder %s is somebody's already: give the demo its own with --dir", app.DataDir())
	}
	s := &timeline{}
	if !there {
		hash, err := passwordHash(app)
		if err != nil {
			return false, err
		}
		s = stage.buildTimeline(hash)
	}
	if superusers == 0 {
		s.addAction(0, func(tx core.App, at types.DateTime) error {
			return saveRecord(tx, core.CollectionNameSuperusers, "", at, map[string]any{"email": adminEmail, "password": Password})
		})
	}
	return !there, s.storeActions(ctx, app, max(len(s.actions), 1), report)
}

func demoCommand(app core.App) *cobra.Command {
	address := ""
	c := &cobra.Command{
		Use:     "demo",
		Short:   "Serve a small world to look around in",
		Long:    "Make a small world of people, photos and what they do in a data folder of its own, unless it is there, and serve it.",
		Example: "  doubletap demo --dir=demo_data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if os.Getenv("DOUBLETAP_MODE") == "" { // it is no production, so that who looks around may look at /metrics
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
				_, err := CreateDemo(ctx, app, newProgress("demo").reportCount)
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

// checkAddressFree reports whether an address is free, before half a minute is spent on a world that cannot be served there.
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

// announceDemo says where the demonstration is and who may come in, once it listens.
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
		fmt.Fprintf(out, "  as            %s  %s\n", adminEmail, passwordHint(e.App, core.CollectionNameSuperusers, adminEmail))
		if !local {
			fmt.Fprintln(out, "Whoever reaches this address can come in with these.")
		}
		return nil
	}})
}

// passwordHint tells the password of a login, as far as it is still the one that the demo gave it.
func passwordHint(app core.App, collection, email string) string {
	record, found, err := db.Optional(app.FindAuthRecordByEmail(collection, email))
	switch {
	case err != nil:
		return "(cannot be read: " + err.Error() + ")"
	case !found:
		return "(gone)"
	case !record.ValidatePassword(Password):
		return "(with a password of your own)"
	}
	return "password " + Password
}
