package limit

import "github.com/doubletap/doubletap/internal/clock"

// Remember notes a claim of somebody who has proved who they are. A full table forgets those first that were noted long
// ago.
func (l *Limits) Remember(claim Claim) {
	now := clock.Now(l.app).UnixNano()
	l.known.update(claim, func(int64, bool) int64 { return now })
}

// Remembers reports whether a claim was noted.
func (l *Limits) Remembers(claim Claim) bool { return l.known.holds(claim) }

// Free gives back all that was taken from a cell.
func (l *Limits) Free(claim Claim) {
	l.cells.update(claim, func(int64, bool) int64 { return 0 })
}
