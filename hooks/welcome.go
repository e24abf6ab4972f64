package hooks

import (
	"fmt"
	"io"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/setup"
)

// printWelcome says where the app is once it listens and, while there is no admin, how to make the first one. The demonstration
// has words of its own.
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
