package photo

import (
	"context"
	"slices"
	"sync"
)

// DefaultBudget is how many bytes photos may take together, unless the owner says otherwise.
const DefaultBudget = 512 << 20

// Budget bounds what photos that are worked on at the same time take together,
// and is fair by person: whoever has nothing in hand comes before those who
// have, and then each person in turn, so that one's many large photos do not
// delay another's first. Nobody goes past who comes next, so a large photo waits
// until there is room for it, and no longer.
type Budget struct {
	capacity int64

	mu            sync.Mutex // guards all below
	available     int64
	heldShares    map[string]int // shares that each person has in hand
	waitingShares map[string][]*budgetShare
	personQueue   []string // of the persons who wait
}

// budgetShare is what somebody waits for; ready is closed when it is theirs.
type budgetShare struct {
	cost    int64
	granted chan struct{}
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{capacity: bytes, available: bytes, heldShares: map[string]int{}, waitingShares: map[string][]*budgetShare{}}
}

// Acquire waits until it is the person's turn and cost bytes are free, or ctx
// ends, and returns the function that gives them back, to be called once. What costs more than the
// whole budget gets all of it, and is then alone.
func (b *Budget) Acquire(ctx context.Context, person string, cost int64) (release func(), err error) {
	wanted := &budgetShare{max(0, min(cost, b.capacity)), make(chan struct{})}
	b.mu.Lock()
	b.enqueueShare(person, wanted)
	b.grantShares()
	b.mu.Unlock()
	select {
	case <-wanted.granted:
		return func() { b.releaseShare(person, wanted) }, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waitingShares[person], wanted); i >= 0 {
		b.dequeueShare(person, i)
	} else { // it came at the same moment
		b.returnShare(person, wanted)
	}
	b.grantShares() // what waited behind it
	return nil, ctx.Err()
}

func (b *Budget) releaseShare(person string, s *budgetShare) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.returnShare(person, s)
	b.grantShares()
}

// enqueueShare lets a share wait. A person with nothing in hand stands before those with something, as they may have much more to come.
func (b *Budget) enqueueShare(person string, s *budgetShare) {
	if b.waitingShares[person] = append(b.waitingShares[person], s); len(b.waitingShares[person]) > 1 {
		return
	}
	place := len(b.personQueue)
	if b.heldShares[person] == 0 {
		if i := slices.IndexFunc(b.personQueue, func(p string) bool { return b.heldShares[p] > 0 }); i >= 0 {
			place = i
		}
	}
	b.personQueue = slices.Insert(b.personQueue, place, person)
}

// dequeueShare takes a share that waits away, and its person out of the order if it was the only one.
func (b *Budget) dequeueShare(person string, i int) {
	if b.waitingShares[person] = slices.Delete(b.waitingShares[person], i, i+1); len(b.waitingShares[person]) == 0 {
		delete(b.waitingShares, person)
		b.personQueue = slices.DeleteFunc(b.personQueue, func(p string) bool { return p == person })
	}
}

// grantShares hands out shares in order while there is room for the next.
func (b *Budget) grantShares() {
	for len(b.personQueue) > 0 {
		person := b.personQueue[0]
		next := b.waitingShares[person][0]
		if next.cost > b.available {
			return
		}
		b.dequeueShare(person, 0)
		if len(b.waitingShares[person]) > 0 { // the others first
			b.personQueue = append(b.personQueue[1:], person)
		}
		b.available -= next.cost
		b.heldShares[person]++
		close(next.granted)
	}
}

// returnShare takes a share back.
func (b *Budget) returnShare(person string, s *budgetShare) {
	b.available += s.cost
	if b.heldShares[person]--; b.heldShares[person] == 0 {
		delete(b.heldShares, person)
	}
}
