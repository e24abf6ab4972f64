package gctune

import (
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

func TestABusyHeapHasRoom(t *testing.T) {
	now := time.Now()
	tuner := &tuner{lastCollection: now}
	for _, c := range []struct {
		name  string
		after time.Duration
		live  int // beside the ballast
		room  bool
	}{
		{"busy", time.Second, 8 << 20, true},
		{"still busy", time.Second, 31 << 20, true},
		{"busy, and much lives", time.Second, 33 << 20, false},
		{"busy again", time.Second, 8 << 20, true},
		{"at rest", 2 * time.Second, 8 << 20, false},
		{"still at rest", time.Hour, 8 << 20, false},
	} {
		now = now.Add(c.after)
		tuner.adjustBallast(now, uint64(c.live+len(tuner.ballast)))
		if room := len(tuner.ballast) == ballastBytes; room != c.room {
			t.Errorf("%s: room %t", c.name, room)
		}
	}
}

func TestTuneHearsOfCollections(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	tuneOnce = sync.Once{}
	TuneCollector()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	for range 1000 {
		runtime.GC() // one after the other, as in a busy server
		if metrics.Read(goal); goal[0].Value.Uint64() > 2*ballastBytes {
			return
		}
	}
	t.Error("the heap has no room")
}
