package photo

import (
	"context"
	"slices"
	"sync"
)

// DefaultBudget is how many bytes all photos together may take, unless the owner sets another value.
const DefaultBudget = 512 << 20

// Budget bounds what the photos that are worked on at the same time take together. It is fair by person: a person who
// holds nothing comes before those who hold something, and then each person has a turn, so that many large photos of
// one person do not delay another's first. Nobody overtakes the first in the queue, so a large photo waits until
// there is room for it, and no longer.
type Budget struct {
	capacity int64

	mu            sync.Mutex // guards all fields below
	available     int64
	heldShares    map[string]int // how many shares each person holds
	waitingShares map[string][]*budgetShare
	personQueue   []string // the persons who wait, in order
}

// budgetShare is what a person waits for or holds; granted is closed when they get it.
type budgetShare struct {
	cost    int64
	granted chan struct{}
}

// NewBudget returns a budget of that many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{capacity: bytes, available: bytes, heldShares: map[string]int{}, waitingShares: map[string][]*budgetShare{}}
}

// Acquire waits until it is the person's turn and cost bytes are free. It returns the function that gives them back,
// to be called once, or the error of ctx if ctx ends first. A cost above the whole budget takes all of it, and is
// then alone.
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
	} else { // it was granted at the same moment
		b.returnShare(person, wanted)
	}
	b.grantShares() // to those who waited behind it
	return nil, ctx.Err()
}

func (b *Budget) releaseShare(person string, s *budgetShare) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.returnShare(person, s)
	b.grantShares()
}

// enqueueShare puts a share into the queue. A person who holds nothing goes before those who hold something, as these
// may have many more to come.
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

// dequeueShare removes the person's ith waiting share, and the person from the queue if it was their only one.
func (b *Budget) dequeueShare(person string, i int) {
	if b.waitingShares[person] = slices.Delete(b.waitingShares[person], i, i+1); len(b.waitingShares[person]) == 0 {
		delete(b.waitingShares, person)
		b.personQueue = slices.DeleteFunc(b.personQueue, func(p string) bool { return p == person })
	}
}

// grantShares grants shares in the order of the queue while there is room for the next one.
func (b *Budget) grantShares() {
	for len(b.personQueue) > 0 {
		person := b.personQueue[0]
		next := b.waitingShares[person][0]
		if next.cost > b.available {
			return
		}
		b.dequeueShare(person, 0)
		if len(b.waitingShares[person]) > 0 { // the others have their turn first
			b.personQueue = append(b.personQueue[1:], person)
		}
		b.available -= next.cost
		b.heldShares[person]++
		close(next.granted)
	}
}

// returnShare makes the bytes of a held share available again.
func (b *Budget) returnShare(person string, s *budgetShare) {
	b.available += s.cost
	if b.heldShares[person]--; b.heldShares[person] == 0 {
		delete(b.heldShares, person)
	}
}
