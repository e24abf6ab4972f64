// Package heap lets the garbage of a busy server lie a little longer.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	room = 64 << 20        // bytes up to which the heap of a busy server grows before it is collected
	rest = 2 * time.Second // since the last collection, from which on a server is not busy
)

var once sync.Once

// Tune gives the heap of this process room while it is busy. Go collects a heap when it has doubled; as little of ours lives,
// that is ten times a second under load, for a tenth of the CPU. At rest Go's way holds, and the memory goes back.
// Whoever sets GOGC decides instead; GOMEMLIMIT holds in any case.
func Tune() {
	if os.Getenv("GOGC") == "" {
		once.Do(func() { (&tuner{at: time.Now(), percent: usual}).wait() })
	}
}

const usual = 100 // Go's own GOGC

type tuner struct {
	at      time.Time // of the last collection
	percent int
}

// wait has the next collection call us: it finds what nobody holds.
func (t *tuner) wait() {
	runtime.AddCleanup(&struct{ *tuner }{}, func(t *tuner) {
		if t.collected(time.Now(), live()) {
			debug.SetGCPercent(t.percent)
		}
		t.wait()
	}, t)
}

// collected decides how far the heap may grow until the next collection, and reports whether that is news.
func (t *tuner) collected(now time.Time, live uint64) bool {
	percent := usual
	if now.Sub(t.at) < rest && live < room/2 {
		percent = int(100*room/max(live, 1<<20)) - 100
	}
	news := percent != t.percent
	t.at, t.percent = now, percent
	return news
}

// live returns how many bytes the last collection has left.
func live() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
