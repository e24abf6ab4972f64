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
	bytes int64

	mu      sync.Mutex // guards all below
	free    int64
	held    map[string]int // shares that each person has in hand
	waiting map[string][]*share
	order   []string // of the persons who wait
}

// share is what somebody waits for; ready is closed when it is theirs.
type share struct {
	cost  int64
	ready chan struct{}
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, free: bytes, held: map[string]int{}, waiting: map[string][]*share{}}
}

// Acquire waits until it is the person's turn and cost bytes are free, or ctx
// ends, and returns the function that gives them back, to be called once. What costs more than the
// whole budget gets all of it, and is then alone.
func (b *Budget) Acquire(ctx context.Context, person string, cost int64) (release func(), err error) {
	wanted := &share{max(0, min(cost, b.bytes)), make(chan struct{})}
	b.mu.Lock()
	b.add(person, wanted)
	b.grant()
	b.mu.Unlock()
	select {
	case <-wanted.ready:
		return func() { b.release(person, wanted) }, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting[person], wanted); i >= 0 {
		b.remove(person, i)
	} else { // it came at the same moment
		b.give(person, wanted)
	}
	b.grant() // what waited behind it
	return nil, ctx.Err()
}

func (b *Budget) release(person string, s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.give(person, s)
	b.grant()
}

// add lets a share wait. A person with nothing in hand stands before those with something, as they may have much more to come.
func (b *Budget) add(person string, s *share) {
	if b.waiting[person] = append(b.waiting[person], s); len(b.waiting[person]) > 1 {
		return
	}
	place := len(b.order)
	if b.held[person] == 0 {
		if i := slices.IndexFunc(b.order, func(p string) bool { return b.held[p] > 0 }); i >= 0 {
			place = i
		}
	}
	b.order = slices.Insert(b.order, place, person)
}

// remove takes a share that waits away, and its person out of the order if it was the only one.
func (b *Budget) remove(person string, i int) {
	if b.waiting[person] = slices.Delete(b.waiting[person], i, i+1); len(b.waiting[person]) == 0 {
		delete(b.waiting, person)
		b.order = slices.DeleteFunc(b.order, func(p string) bool { return p == person })
	}
}

// grant hands out shares in order while there is room for the next.
func (b *Budget) grant() {
	for len(b.order) > 0 {
		person := b.order[0]
		next := b.waiting[person][0]
		if next.cost > b.free {
			return
		}
		b.remove(person, 0)
		if len(b.waiting[person]) > 0 { // the others first
			b.order = append(b.order[1:], person)
		}
		b.free -= next.cost
		b.held[person]++
		close(next.ready)
	}
}

// give takes a share back.
func (b *Budget) give(person string, s *share) {
	b.free += s.cost
	if b.held[person]--; b.held[person] == 0 {
		delete(b.held, person)
	}
}
