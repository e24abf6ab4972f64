package hooks

// bindCommands adds Doubletap's commands to a program's command line.
func (s *Social) bindCommands() {}
