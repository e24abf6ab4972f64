package limit

import (
	"sync"
	"time"
)

// rate is a limit as the arithmetic of a cell needs it: GCRA, the generic cell rate algorithm, which is a token bucket
// that needs one number. most units may be taken at once; each one comes back after interval.
type rate struct {
	interval int64 // nanoseconds
	most     int64
}

func newRate(most int, in time.Duration) rate {
	return rate{interval: int64(in) / int64(most), most: int64(most)}
}

// take takes one unit from a cell, which holds the time at which all that was taken will have come back. It returns what
// the cell holds then and how many units are left; or, when there was none, how long it takes until there is one.
func (r rate) take(cell, now int64) (after, left int64, wait time.Duration) {
	cell = max(cell, now)
	cell = min(cell, now+r.interval*r.most) // the service's time was put back
	if wait := cell - now - r.interval*(r.most-1); wait > 0 {
		return cell, 0, time.Duration(wait)
	}
	cell += r.interval
	return cell, r.most - (cell-now+r.interval-1)/r.interval, 0
}

const (
	shardCount     = 64 // so that two callers rarely wait for each other
	maxShardCells  = 4096
	evictionSample = 8
)

// cellTable holds the cells of all rules: 262,144 at most, in some 15 MB. A table that is full forgets those that would
// be free again the soonest, so whoever floods it with new addresses or names does not free anybody.
type cellTable struct {
	shards [shardCount]cellShard
}

type cellShard struct {
	mu    sync.Mutex
	cells map[Claim]int64
}

func (t *cellTable) shardOf(key Claim) *cellShard {
	return &t.shards[(key.hi^key.lo^uint64(key.rule))*0x9e3779b97f4a7c15>>58]
}

// update calls fn with what the cell holds, zero for a new one, and stores what fn returns.
func (t *cellTable) update(key Claim, fn func(cell int64, known bool) int64) {
	shard := t.shardOf(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	cell, known := shard.cells[key]
	if !known {
		if shard.cells == nil {
			shard.cells = map[Claim]int64{}
		}
		if len(shard.cells) >= maxShardCells {
			evictCell(shard.cells)
		}
	}
	shard.cells[key] = fn(cell, known)
}

// evictCell forgets that of a few cells which would be free again the soonest.
func evictCell(cells map[Claim]int64) {
	var victim Claim
	looked, soonest := 0, int64(0)
	for key, cell := range cells { // in a random order
		if looked == 0 || cell < soonest {
			victim, soonest = key, cell
		}
		if looked++; looked == evictionSample {
			break
		}
	}
	delete(cells, victim)
}

// holds reports whether the table has the cell.
func (t *cellTable) holds(key Claim) bool {
	shard := t.shardOf(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	_, known := shard.cells[key]
	return known
}
