package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

func TestABusyHeapHasRoom(t *testing.T) {
	start := time.Now()
	for _, c := range []struct {
		name    string
		since   time.Duration
		live    uint64
		percent int
	}{
		{"busy, little lives", time.Second, 8 << 20, 700},
		{"busy, hardly anything lives", time.Second, 1000, 6300},
		{"busy, much lives", time.Second, 40 << 20, 100},
		{"at rest", 2 * time.Second, 8 << 20, 100},
	} {
		tuner := &tuner{at: start, percent: usual}
		now := start.Add(c.since)
		if news := tuner.collected(now, c.live); tuner.percent != c.percent || news != (c.percent != usual) || tuner.at != now {
			t.Errorf("%s: %d %%, news %t, at %s", c.name, tuner.percent, news, tuner.at)
		}
		if tuner.collected(now.Add(time.Hour), c.live); tuner.percent != usual {
			t.Errorf("%s, and then at rest: %d %%", c.name, tuner.percent)
		}
	}
}

func TestTuneHearsOfCollections(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	once = sync.Once{}
	t.Cleanup(func() { debug.SetGCPercent(usual) })
	Tune()
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for range 1000 {
		runtime.GC() // one after the other, as in a busy server
		if metrics.Read(percent); percent[0].Value.Uint64() > usual {
			return
		}
	}
	t.Error("nothing was tuned")
}
