package limit

import (
	"context"
	"sync"
)

// reservations are the units of those requests whose outcome decides whether they cost anything. Each cell has a few at
// most: as many as it has units.
type reservations struct {
	mu     sync.Mutex
	byCell map[Claim]*reservation
}

type reservation struct {
	count   int
	settled chan struct{} // closed when the next one of them is settled
}

// Reserve takes one unit until Settle says whether it stays taken. While the last units are those of requests that are
// not done, it waits for them: they may be given back, and many who sign in rightly at one moment are not refused; and
// however many guess at one moment, no more guesses are made than there are units.
func (l *Limits) Reserve(ctx context.Context, claim Claim) State {
	if l.Most(claim.rule) == 0 {
		return State{Rule: claim.rule, Left: 1}
	}
	for {
		s, settled := l.tryToReserve(claim)
		if settled == nil {
			return s
		}
		select {
		case <-settled:
		case <-ctx.Done(): // who has gone is answered nothing
			return s
		}
	}
}

// tryToReserve reserves a unit, or returns what to wait for where one may come back.
func (l *Limits) tryToReserve(claim Claim) (s State, settled <-chan struct{}) {
	held := &l.reserved
	held.mu.Lock()
	defer held.mu.Unlock()
	here := held.byCell[claim]
	if s = l.Take(claim); s.Wait > 0 {
		if here == nil {
			return s, nil
		}
		return s, here.settled
	}
	if here == nil {
		if held.byCell == nil {
			held.byCell = map[Claim]*reservation{}
		}
		here = &reservation{settled: make(chan struct{})}
		held.byCell[claim] = here
	}
	here.count++
	return s, nil
}

// Settle ends a reservation. The unit stays taken, or is given back.
func (l *Limits) Settle(claim Claim, keep bool) {
	if l.Most(claim.rule) == 0 {
		return
	}
	held := &l.reserved
	held.mu.Lock()
	defer held.mu.Unlock()
	if !keep {
		l.GiveBack(claim)
	}
	here := held.byCell[claim]
	close(here.settled)
	here.settled = make(chan struct{})
	if here.count--; here.count == 0 {
		delete(held.byCell, claim)
	}
}
