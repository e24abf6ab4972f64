package hooks

import (
	"github.com/pocketbase/pocketbase"

	"doubletap/command"
)

// bindCommands adds Doubletap's commands where there is a command line.
func (s *Social) bindCommands() {
	if pb, ok := s.app.(*pocketbase.PocketBase); ok {
		command.Add(pb)
	}
}
