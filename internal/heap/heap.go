// Package heap lets the garbage of a busy server lie a little longer.
package heap

import (
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	ballastBytes = 32 << 20        // bytes that a busy server may allocate beyond Go's own bound before it collects
	busyInterval = 2 * time.Second // since the last collection, from which on a server is not busy
)

var tuneOnce sync.Once

// TuneCollector gives the heap of this process room while it is busy. Go collects a heap when it has doubled; as little of ours lives,
// that is often under load, for a twentieth of the CPU. At rest Go's way holds, and the memory goes back.
// Whoever sets GOGC decides instead; GOMEMLIMIT holds in any case.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		tuneOnce.Do(func() { new(tuner).awaitCollection() })
	}
}

type tuner struct {
	lastCollection time.Time // of the last collection
	// ballast is never touched, so it takes no memory, but counts as alive. Unlike a higher GOGC it cannot let a heap grow many
	// times over that has become large since it was set.
	ballast []byte
}

// awaitCollection has the next collection call us: it finds what nobody holds.
func (t *tuner) awaitCollection() {
	runtime.AddCleanup(&struct{ *tuner }{}, func(t *tuner) {
		t.adjustBallast(time.Now(), liveBytes())
		t.awaitCollection()
	}, t)
}

// adjustBallast takes the ballast aboard for a busy server with little that lives, which the room matters to.
func (t *tuner) adjustBallast(now time.Time, live uint64) {
	switch busy := now.Sub(t.lastCollection) < busyInterval; {
	case !busy || live > uint64(ballastBytes+len(t.ballast)):
		t.ballast = nil
	case t.ballast == nil:
		t.ballast = make([]byte, ballastBytes)
	}
	t.lastCollection = now
}

// liveBytes returns how many bytes the last collection has left.
func liveBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
