package inbox

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// BenchmarkNotification measures the time from the commit of a notification until its recipient has the event, among
// others who are connected, each with a token of their own, and what each of those costs while idle: rss is all memory
// of the process that is in RAM, live is what heap and stacks hold after a collection.
func BenchmarkNotification(b *testing.B) {
	for _, others := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprint("among", others), func(b *testing.B) {
			s := startService(b)
			tokens := s.signUpMany(others)
			c := NewCrowd(b)
			connect := func(tokens []string) {
				c.Connect(s.server.URL, tokens, []string{"notifications/*", "settings/*", "feed/*"}, 0, false)
			}
			connect(tokens) // once, so that the database's caches are not counted
			connect(nil)
			s.inbox.openConns.Wait()
			ada := s.connectDevice(s.tokenOf("ada"), "notifications/*")
			live, rss := measureMemory(b)
			connect(tokens)
			peak := residentBytes(b)
			liveNow, rssNow := measureMemory(b)

			var took []time.Duration
			b.ResetTimer()
			for i := range b.N {
				s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", fmt.Sprint("n", i)) })
				committed := time.Now()
				ada.nextEvent()
				took = append(took, time.Since(committed))
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
			if others > 1 {
				b.ReportMetric(float64(liveNow-live)/float64(others), "live-B/other")
				b.ReportMetric(float64(rssNow-rss)/float64(others), "rss-B/other")
				b.ReportMetric(float64(peak-rss)/float64(others), "peak-rss-B/other")
			}
		})
	}
}

// measureMemory returns what heap and stacks hold after a collection, and how much of the process is then in RAM.
func measureMemory(b *testing.B) (live, rss int) {
	b.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse), residentBytes(b)
}

func residentBytes(b *testing.B) int {
	b.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc:", err)
	}
	var size, pages int
	_, err = fmt.Sscan(string(statm), &size, &pages)
	requireNoError(b, err)
	return pages * os.Getpagesize()
}
