package hooks

// JobKinds are the kinds of jobs that have a handler.
func (s *Social) JobKinds() []string { return s.jobs.HandledKinds() }

// WaitingWrites is how many writes wait for a transaction.
func (s *Social) WaitingWrites() int { return s.writer.WaitingCount() }

// OwnRoutes are our routes, as "GET /path".
func (s *Social) OwnRoutes() []string {
	all := make([]string, len(s.routes))
	for i, r := range s.routes {
		all[i] = r.Method + " " + r.Path
	}
	return all
}
