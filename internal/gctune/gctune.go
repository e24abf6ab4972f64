// Package gctune lets Go collect the heap of a busy server less often.
package gctune

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"time"
)

const (
	ballastBytes = 32 << 20        // bytes that a busy server may allocate beyond Go's own limit before it collects
	busyInterval = 2 * time.Second // a server that has not collected for this long is not busy
)

var tuneOnce sync.Once

// TuneCollector gives the heap of this process more room while it is busy. Go collects a heap when it has doubled;
// since little of ours is alive, that happens often under load, and costs a twentieth of the CPU. An idle server
// collects as Go does by itself, and gives the memory back. Where GOGC is set, that decides instead; GOMEMLIMIT holds
// in any case.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		tuneOnce.Do(func() { new(tuner).awaitCollection() })
	}
}

// rarePercent is how much a heap may grow beyond what is alive, in per cent of that, while it is collected rarely.
const rarePercent = 400

// CollectRarely lets the heap grow to five times what is alive before Go collects it, until restore is called. It is for
// a command that reads much and keeps little, which ends when its work is done. Where GOGC is set, that decides instead;
// GOMEMLIMIT holds in any case.
func CollectRarely() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	former := debug.SetGCPercent(rarePercent)
	return func() { debug.SetGCPercent(former) }
}

type tuner struct {
	lastCollection time.Time
	// ballast is never touched, so it takes no memory, but it counts as alive. Unlike a higher GOGC, it cannot let a
	// heap that has become large since then grow many times over. It is a Builder since what that allocates is not set to
	// zero, which is a touch: a slice would be, where some of its memory was in use before.
	ballast strings.Builder
}

// awaitCollection has the next collection call adjustBallast: it finds an object that nobody holds.
func (t *tuner) awaitCollection() {
	runtime.AddCleanup(&struct{ *tuner }{}, func(t *tuner) {
		t.adjustBallast(time.Now(), liveBytes())
		t.awaitCollection()
	}, t)
}

// adjustBallast allocates the ballast for a busy server on which little is alive, and drops it for any other: only
// there the room matters.
func (t *tuner) adjustBallast(now time.Time, live uint64) {
	switch busy := now.Sub(t.lastCollection) < busyInterval; {
	case !busy || live > uint64(ballastBytes+t.ballast.Cap()):
		t.ballast.Reset()
	case t.ballast.Cap() == 0:
		t.ballast.Grow(ballastBytes)
	}
	t.lastCollection = now
}

// liveBytes returns how many bytes were alive after the last collection.
func liveBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
