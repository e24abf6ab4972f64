package hooks

import (
	"errors"

	"github.com/pocketbase/pocketbase"

	"doubletap/command"
	"doubletap/internal/rendition"
)

// bindCommands adds Doubletap's commands where there is a command line.
func (s *Social) bindCommands() {
	if pb, ok := s.app.(*pocketbase.PocketBase); ok {
		command.Add(pb, s.prepareJobs)
	}
}

// prepareJobs opens what jobs need and a server opens when it starts.
func (s *Social) prepareJobs() error {
	memory, err := rendition.Memory()
	if err != nil {
		return err
	}
	s.studio.Bound(memory)
	return errors.Join(s.openChannels(), s.delivery().webhooks.Load())
}
