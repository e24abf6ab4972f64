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

// lines is how many clients are connected at least, however few of them ask at once.
const lines = 256

// loop is a closed loop: workers that each do one step after the other, every step on the next of the worker's
// lines. It lasts for a time, and what happens before the warm-up is over or ends after the
// run is not measured; or it takes a number of steps, all of them measured.
type loop struct {
	*Target
	at        int // workers
	warm, run time.Duration
	enough    func() bool // nil, or whether the run may end; it lasts at most three times as long
	steps     int         // when not 0, instead of the times
	step      func(worker, n int, l *Line) error

	next      atomic.Int64
	measuring atomic.Bool
	stopped   atomic.Bool
	failed    atomic.Int64
	refused   atomic.Int64
	mu        sync.Mutex // guards first
	first     error
}

// measure runs the loop and returns its figures. Only what the whole case depends on is an error without
// figures; a step that fails is counted, and the first of them comes back beside the figures.
func (l *loop) measure(ctx context.Context) (Metrics, error) {
	all, err := l.dial()
	defer func() {
		for _, line := range all {
			line.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	took := make([][]time.Duration, l.at)
	var workers sync.WaitGroup
	l.measuring.Store(l.steps > 0)
	start, cpu := time.Now(), l.cpu()
	for w := range l.at {
		workers.Go(func() { took[w] = l.work(ctx, w, all) })
	}
	if l.steps > 0 {
		workers.Wait()
	} else {
		sleep(ctx, l.warm)
		start, cpu = time.Now(), l.cpu()
		l.measuring.Store(true)
		for sleep(ctx, l.run); l.enough != nil && !l.enough() && time.Since(start) < 3*l.run && ctx.Err() == nil; {
			sleep(ctx, 50*time.Millisecond)
		}
		l.measuring.Store(false)
	}
	length, used := time.Since(start), l.cpu()-cpu
	l.stopped.Store(true)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := figures(slices.Concat(took...), length, used)
	m[Failed], m[Refused] = float64(l.failed.Load()), float64(l.refused.Load())
	return m, l.first
}

func (l *loop) dial() (all []*Line, err error) {
	for n := range (max(lines, l.at) + l.at - 1) / l.at * l.at {
		line, err := NewLine(l.Address, n)
		if err != nil {
			return all, err
		}
		all = append(all, line)
	}
	return all, nil
}

func (l *loop) work(ctx context.Context, worker int, all []*Line) (took []time.Duration) {
	for turn := 0; !l.stopped.Load() && ctx.Err() == nil; turn++ {
		n := int(l.next.Add(1)) - 1
		if l.steps > 0 && n >= l.steps {
			break
		}
		line := all[(turn*l.at+worker)%len(all)] // no two workers share one, as their number divides that of the lines
		start := time.Now()
		err := l.step(worker, n, line)
		for errors.Is(err, errRefused) && ctx.Err() == nil && !l.stopped.Load() { // it is the same person who comes again
			l.refused.Add(1)
			sleep(ctx, max(line.wait, 10*time.Millisecond))
			err = l.step(worker, n, line)
		}
		if err != nil {
			l.fail(err)
			if fresh, err := NewLine(l.Address, worker); err == nil { // the old one may be out of step
				line.Close()
				*line = *fresh
			}
			sleep(ctx, 10*time.Millisecond)
		} else if l.measuring.Load() {
			took = append(took, time.Since(start))
		}
	}
	return took
}

func (l *loop) fail(err error) {
	l.failed.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = fmt.Errorf("a step failed: %w", err)
	}
}

func (t *Target) cpu() time.Duration {
	if t.CPU == nil {
		return 0
	}
	return t.CPU()
}

// figures sums up how long each operation took. used is the server's CPU, 0 where it is not known.
func figures(took []time.Duration, length, used time.Duration) Metrics {
	m := Metrics{Count: float64(len(took)), Rate: float64(len(took)) / length.Seconds()}
	if len(took) == 0 {
		return m
	}
	slices.Sort(took)
	m[P50], m[P99] = milliseconds(quantile(took, 0.5)), milliseconds(quantile(took, 0.99))
	if used > 0 {
		m[CPU] = float64(used.Microseconds()) / float64(len(took))
	}
	return m
}

// quantile returns the value of a sorted list that a share of it is not above.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
