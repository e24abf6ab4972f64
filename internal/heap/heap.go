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
	room = 32 << 20        // bytes that a busy server may allocate beyond Go's own bound before it collects
	rest = 2 * time.Second // since the last collection, from which on a server is not busy
)

var once sync.Once

// Tune gives the heap of this process room while it is busy. Go collects a heap when it has doubled; as little of ours lives,
// that is often under load, for a twentieth of the CPU. At rest Go's way holds, and the memory goes back.
// Whoever sets GOGC decides instead; GOMEMLIMIT holds in any case.
func Tune() {
	if os.Getenv("GOGC") == "" {
		once.Do(func() { new(tuner).wait() })
	}
}

type tuner struct {
	at time.Time // of the last collection
	// ballast is never touched, so it takes no memory, but counts as alive. Unlike a higher GOGC it cannot let a heap grow many
	// times over that has become large since it was set.
	ballast []byte
}

// wait has the next collection call us: it finds what nobody holds.
func (t *tuner) wait() {
	runtime.AddCleanup(&struct{ *tuner }{}, func(t *tuner) {
		t.collected(time.Now(), live())
		t.wait()
	}, t)
}

// collected takes the ballast aboard for a busy server with little that lives, which the room matters to.
func (t *tuner) collected(now time.Time, live uint64) {
	switch busy := now.Sub(t.at) < rest; {
	case !busy || live > uint64(room+len(t.ballast)):
		t.ballast = nil
	case t.ballast == nil:
		t.ballast = make([]byte, room)
	}
	t.at = now
}

// live returns how many bytes the last collection has left.
func live() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
