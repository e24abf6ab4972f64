package listing

import (
	"sync"
	"time"
)

// countedRows is what a total counts, however far behind a page is.
type countedRows struct{ person, collection, author string }

// slowTotals remembers which totals took too long, so that not each page waits for them twice: here, and on PocketBase's
// general path.
type slowTotals struct {
	mu    sync.Mutex
	until map[countedRows]time.Time
}

const (
	slowTotalTime = time.Minute
	maxSlowTotals = 1000 // are remembered
)

func (s *slowTotals) isKnown(counted countedRows) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[counted])
}

func (s *slowTotals) note(counted countedRows) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) >= maxSlowTotals {
		s.until = map[countedRows]time.Time{}
	}
	s.until[counted] = time.Now().Add(slowTotalTime)
}
