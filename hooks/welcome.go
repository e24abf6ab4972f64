package hooks

import (
	"fmt"
	"io"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/setup"
)

// printWelcome prints where the app is once it listens and, while there is no superuser, how to create the first one.
// It prints nothing for other commands than serve: the demonstration has words of its own.
func printWelcome(pb *pocketbase.PocketBase, out io.Writer) error {
	command, _, err := pb.RootCmd.Find(os.Args[1:])
	if err != nil || command.Name() != "serve" {
		return nil
	}
	admins, err := pb.CountRecords(core.CollectionNameSuperusers)
	if err != nil {
		return fmt.Errorf("count superusers: %w", err)
	}
	url := setup.ListenURL(pb)
	fmt.Fprintf(out, "Doubletap is at %s, its dashboard at %s/_/\n", url, url)
	if admins > 0 {
		return nil
	}
	dir := ""
	if isFlagSet(pb, "dir") {
		dir = fmt.Sprintf(" --dir=%q", pb.DataDir())
	}
	fmt.Fprintf(out, "It has no admin yet: %s superuser upsert EMAIL PASSWORD%s makes the first one.\n", os.Args[0], dir)
	return nil
}
