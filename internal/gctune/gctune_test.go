package gctune

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
		tuner.adjustBallast(now, uint64(c.live+tuner.ballast.Cap()))
		if room := tuner.ballast.Cap() == ballastBytes; room != c.room {
			t.Errorf("%s: room %t", c.name, room)
		}
	}
}

// TestTheRoomTakesNoMemory also where some of it had been in use: Go sets all of a slice to zero then. Whether the room
// comes to lie there is not sure, so that it is tried some times.
func TestTheRoomTakesNoMemory(t *testing.T) {
	for range 10 {
		debug.FreeOSMemory()
		used = bytes.Repeat([]byte{1}, ballastBytes/4)
		used = nil
		runtime.GC()
		before := residentBytes(t)
		tuner := &tuner{lastCollection: time.Now()}
		tuner.adjustBallast(time.Now(), 0)
		if grown := residentBytes(t) - before; tuner.ballast.Cap() != ballastBytes || grown > ballastBytes/4 {
			t.Errorf("a room of %d bytes takes %d", tuner.ballast.Cap(), grown)
		}
	}
}

var used []byte

func residentBytes(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("only Linux tells how much memory is resident")
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
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

func TestACommandCollectsRarely(t *testing.T) {
	for set, during := range map[string]int{"": rarePercent, "100": 100} {
		t.Setenv("GOGC", set)
		former := debug.SetGCPercent(100)
		restore := CollectRarely()
		got := debug.SetGCPercent(100)
		debug.SetGCPercent(got)
		restore()
		if after := debug.SetGCPercent(former); got != during || after != 100 {
			t.Errorf("GOGC %q: %d while it works and %d after, want %d and 100", set, got, after, during)
		}
	}
}
