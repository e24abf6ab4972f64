package hooks

import (
	"cmp"
	"errors"
	"os"

	"github.com/pocketbase/pocketbase"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/setup"
)

// bindCommands adds Doubletap's commands if the app has a command line.
func (s *Social) bindCommands() {
	if pb, ok := s.app.(*pocketbase.PocketBase); ok {
		cli.AddCommands(pb, s.prepareJobs)
	}
}

// prepareJobs opens what jobs need, in a command; a server opens the same when it starts.
func (s *Social) prepareJobs() error {
	memory, err := rendition.MemoryFromEnv()
	if err != nil {
		return err
	}
	s.studio.SetMemory(memory)
	// where the server beside this command listens
	setup.SetListenURL(s.app, setup.ReachableURL(cmp.Or(os.Getenv("DOUBLETAP_HTTP"), "127.0.0.1:8090"), false))
	return errors.Join(s.openChannels(), s.delivery.webhooks.LoadHandlers())
}

// ExitStatus returns the status with which a program ends after an error of Start: 2 for a command line that is
// mistyped, 1 for any other error, 0 for none.
func ExitStatus(err error) int { return cli.ExitStatus(err) }
