package photo

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// DefaultBudget is how many bytes photos may take together, unless the owner says otherwise.
const DefaultBudget = 512 << 20

// Budget bounds what photos that are worked on at the same time take together.
// They get their share in the order in which they asked, so a large one waits
// until the small ones before it are done, and no longer.
type Budget struct {
	bytes int64
	free  *semaphore.Weighted
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes, semaphore.NewWeighted(bytes)}
}

// Acquire waits until cost bytes are free, or ctx ends, and returns the
// function that gives them back. What costs more than the whole budget gets all
// of it, and is then alone.
func (b *Budget) Acquire(ctx context.Context, cost int64) (release func(), err error) {
	cost = max(0, min(cost, b.bytes))
	if err := b.free.Acquire(ctx, cost); err != nil {
		return nil, err
	}
	return func() { b.free.Release(cost) }, nil
}
