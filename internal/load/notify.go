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

const (
	probeWorkers        = 4  // of the workers under load: their likes are timed until they reach the owner's socket
	loadWorkers         = 16 // workers under load, the probing ones included
	notificationTimeout = 30 * time.Second
)

// runNotify measures the time from a like's request until its notification is at the owner's socket, while
// o.Listeners others are connected: first of one like after the other without other load, then under a closed loop of
// likes of all posts.
func runNotify(ctx context.Context, t *Target, o Options) (all []Row, err error) {
	others := &listenerCrowd{target: t}
	defer others.closeAll()
	for _, n := range o.Listeners {
		if err := others.connectUpTo(ctx, n); err != nil {
			return all, err
		}
		owner, err := t.watchOwner()
		if err != nil {
			return all, err
		}
		defer owner.close()
		idle, err := owner.probeIdle(ctx, o.Samples, o.Run*2)
		if err != nil {
			return all, fmt.Errorf("with %d others: %w", n, err)
		}
		idle[Misdelivered] = float64(others.misdelivered.Swap(0))
		loaded, err := owner.probeUnderLoad(ctx, o)
		if loaded == nil {
			return all, fmt.Errorf("with %d others: %w", n, err)
		}
		loaded[Misdelivered] = float64(others.misdelivered.Swap(0))
		all = append(all, Row{fmt.Sprintf("notify-%d", n), idle}, Row{fmt.Sprintf("notify-%d-load", n), loaded})
		if gone := others.endedStreams.Load(); gone > 0 {
			err = errors.Join(err, fmt.Errorf("%d of %d streams ended by themselves", gone, n))
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// probeIdle sends one like after the other, with pauses between them, until it has as many samples or, after ten, the
// measured times add up to most.
func (w *watchedOwner) probeIdle(ctx context.Context, samples int, most time.Duration) (Metrics, error) {
	conn, err := DialClient(w.target.Address, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var took []time.Duration
	lost, cpu := 0, time.Duration(0)
	for n := -5; n < samples && (len(took) < 10 || totalDuration(took) < most); n++ { // the first few warm up
		if n == 0 {
			cpu = w.target.cpuTime()
		}
		d, err := w.probeLike(ctx, conn, (n+5)%len(w.Posts))
		if errors.Is(err, errLost) {
			lost++
		} else if err != nil {
			return nil, err
		} else if n >= 0 {
			took = append(took, d)
		}
		sleepContext(ctx, 5*time.Millisecond)
	}
	m := summarize(took, max(totalDuration(took), 1), w.target.cpuTime()-cpu)
	delete(m, Rate) // the rate would show our pauses
	m[Lost] = float64(lost)
	return m, nil
}

func totalDuration(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

// probeUnderLoad sends probes among other likes. The rate and the CPU are of all likes, the times are of the probes.
func (w *watchedOwner) probeUnderLoad(ctx context.Context, o Options) (Metrics, error) {
	var mu sync.Mutex
	var took []time.Duration
	var lost atomic.Int64
	l := &closedLoop{Target: w.target, workerCount: loadWorkers, warm: o.Warm, run: o.Run}
	l.enough = func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(took) >= o.Samples
	}
	l.step = func(worker, n int, conn *ClientConn) error {
		if worker >= probeWorkers {
			who, post := w.target.Like()
			return w.target.sendLike(conn, who, post)
		}
		mine := len(w.Posts) / probeWorkers // each worker has its own posts, so that no post gets two probes at once
		d, err := w.probeLike(ctx, conn, worker*mine+n%mine)
		if errors.Is(err, errLost) {
			lost.Add(1)
			return nil
		}
		if err == nil && l.measuring.Load() {
			mu.Lock()
			took = append(took, d)
			mu.Unlock()
		}
		return err
	}
	m, err := l.measureLoop(ctx)
	if m == nil {
		return nil, err
	}
	m[Lost] = float64(lost.Load())
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	if len(took) > 0 {
		m[P50], m[P99] = milliseconds(quantileOf(took, 0.5)), milliseconds(quantileOf(took, 0.99))
	}
	m[Probes] = float64(len(took))
	return m, err
}
