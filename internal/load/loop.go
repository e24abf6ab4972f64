package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// minConnections is how many clients are connected at least, however few of them send at once.
const minConnections = 256

// closedLoop is a closed loop: each worker does one step after the other, every step on the next of the worker's
// connections. It lasts for a time, of which only the steps that end after the warm-up and before the end of the run
// are measured. Or it takes a number of steps, all of which are measured.
type closedLoop struct {
	*Target
	workerCount int
	warm, run   time.Duration
	enough      func() bool // reports whether the run may end, nil for always; the run lasts at most three times as long
	steps       int         // if not 0, the number of steps, instead of warm and run
	step        func(worker, n int, l *ClientConn) error

	next      atomic.Int64
	measuring atomic.Bool
	stopped   atomic.Bool
	failed    atomic.Int64
	refused   atomic.Int64
	mu        sync.Mutex // guards firstErr
	firstErr  error
}

// measureLoop runs the loop and returns its figures. It returns nil figures only if it cannot connect or ctx ends. A
// step that fails is counted, and the first failure is returned together with the figures.
func (l *closedLoop) measureLoop(ctx context.Context) (Metrics, error) {
	all, err := l.dialAll()
	defer func() {
		for _, conn := range all {
			conn.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	took := make([][]time.Duration, l.workerCount)
	var workers sync.WaitGroup
	l.measuring.Store(l.steps > 0)
	start, cpu := time.Now(), l.cpuTime()
	for w := range l.workerCount {
		workers.Go(func() { took[w] = l.runWorker(ctx, w, all) })
	}
	if l.steps > 0 {
		workers.Wait()
	} else {
		sleepContext(ctx, l.warm)
		start, cpu = time.Now(), l.cpuTime()
		l.measuring.Store(true)
		for sleepContext(ctx, l.run); l.enough != nil && !l.enough() && time.Since(start) < 3*l.run && ctx.Err() == nil; {
			sleepContext(ctx, 50*time.Millisecond)
		}
		l.measuring.Store(false)
	}
	length, used := time.Since(start), l.cpuTime()-cpu
	l.stopped.Store(true)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := summarize(slices.Concat(took...), length, used)
	m[Failed], m[Refused] = float64(l.failed.Load()), float64(l.refused.Load())
	return m, l.firstErr
}

func (l *closedLoop) dialAll() (all []*ClientConn, err error) {
	for n := range (max(minConnections, l.workerCount) + l.workerCount - 1) / l.workerCount * l.workerCount {
		conn, err := DialClient(l.Address, n)
		if err != nil {
			return all, err
		}
		all = append(all, conn)
	}
	return all, nil
}

func (l *closedLoop) runWorker(ctx context.Context, worker int, all []*ClientConn) (took []time.Duration) {
	for turn := 0; !l.stopped.Load() && ctx.Err() == nil; turn++ {
		n := int(l.next.Add(1)) - 1
		if l.steps > 0 && n >= l.steps {
			break
		}
		// no two workers share a connection, as the number of workers divides that of the connections
		conn := all[(turn*l.workerCount+worker)%len(all)]
		start := time.Now()
		err := l.step(worker, n, conn)
		for errors.Is(err, errRefused) && ctx.Err() == nil && !l.stopped.Load() { // the same person tries again
			l.refused.Add(1)
			sleepContext(ctx, max(conn.retryAfter, 10*time.Millisecond))
			err = l.step(worker, n, conn)
		}
		if err != nil {
			l.recordFailure(err)
			if fresh, err := DialClient(l.Address, worker); err == nil { // the old one may hold a part of an answer
				conn.Close()
				*conn = *fresh
			}
			sleepContext(ctx, 10*time.Millisecond)
		} else if l.measuring.Load() {
			took = append(took, time.Since(start))
		}
	}
	return took
}

func (l *closedLoop) recordFailure(err error) {
	l.failed.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.firstErr == nil {
		l.firstErr = fmt.Errorf("a step failed: %w", err)
	}
}

func (t *Target) cpuTime() time.Duration {
	if t.CPU == nil {
		return 0
	}
	return t.CPU()
}

// summarize returns the figures of operations by how long each took. length is how long all took, used the server's
// CPU time, 0 if that is unknown.
func summarize(took []time.Duration, length, used time.Duration) Metrics {
	m := Metrics{Count: float64(len(took)), Rate: float64(len(took)) / length.Seconds()}
	if len(took) == 0 {
		return m
	}
	slices.Sort(took)
	m[P50], m[P99] = milliseconds(quantileOf(took, 0.5)), milliseconds(quantileOf(took, 0.99))
	if used > 0 {
		m[CPU] = float64(used.Microseconds()) / float64(len(took))
	}
	return m
}

// quantileOf returns the value that the given share of a sorted list does not exceed.
func quantileOf(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func sleepContext(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
