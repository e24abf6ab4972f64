// Package clock tells a service what time it is. Its time never goes back while the process lives, whatever becomes of the
// machine's clock, since rows are ordered by it; and a test can move it instead of waiting.
package clock

import (
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const storeKey = "doubletap.clock"

// maxAhead is how far what is stored may lie ahead of the machine's clock: what two readings of it may differ by.
const maxAhead = time.Minute

// Now returns the time of app in UTC, cut to the millisecond that the database keeps: that of the machine's clock, or where
// that was put back, what it would show if it had not been. Transactions of one app share its clock; two apps in one
// process do not.
func Now(app core.App) time.Time { return clockOf(app).currentTime() }

// Timestamp returns Now as the text that a date column holds; such texts sort by time.
func Timestamp(app core.App) string { return FormatTime(Now(app)) }

// FormatTime returns t as the text that a date column holds.
func FormatTime(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }

// ParseTime returns the time that a date column's text says.
func ParseTime(text string) (time.Time, error) { return time.Parse(types.DefaultDateLayout, text) }

// Advance moves the clock of app forward by d, or back.
func Advance(app core.App, d time.Duration) { clockOf(app).advanced.Add(int64(d)) }

// LatestPlausible is what no stored moment may lie behind of: the machine's clock says that it has not been yet.
func LatestPlausible(app core.App) time.Time {
	k := clockOf(app)
	return k.machineTime(time.Now()).Add(time.Duration(k.advanced.Load()) + maxAhead)
}

// ContinueFrom makes the clock go on at a moment that is stored, if it has not come that far.
func ContinueFrom(app core.App, stored time.Time) { clockOf(app).reachTime(stored) }

// FollowMachine gives up what was held against the machine's clock: Now may go back, once.
func FollowMachine(app core.App) {
	k := clockOf(app)
	real := time.Now()
	k.anchor.Store(&anchor{real: real, shown: k.machineTime(real)})
	k.lastMicro.Store(0)
}

// ShiftMachine makes the machine's clock look put forward by d, or back, to app alone.
func ShiftMachine(app core.App, d time.Duration) { clockOf(app).machineShift.Add(int64(d)) }

// appClock is the clock of one app.
type appClock struct {
	anchor       atomic.Pointer[anchor]
	lastMicro    atomic.Int64 // the newest moment given out, without what Advance added, in Unix microseconds
	advanced     atomic.Int64 // by Advance
	machineShift atomic.Int64 // by ShiftMachine
}

// anchor is a moment of which both the steady clock of the process and the time that was shown are known.
type anchor struct {
	real  time.Time // with the reading of the steady clock
	shown time.Time
}

func clockOf(app core.App) *appClock {
	return app.Store().GetOrSet(storeKey, func() any {
		k := &appClock{}
		real := time.Now()
		k.anchor.Store(&anchor{real: real, shown: real.Round(0)})
		return k
	}).(*appClock)
}

// machineTime is what the machine's clock shows, without the steady reading that Go keeps beside it.
func (k *appClock) machineTime(real time.Time) time.Time {
	return real.Round(0).Add(time.Duration(k.machineShift.Load()))
}

func (k *appClock) currentTime() time.Time {
	real, a := time.Now(), k.anchor.Load()
	shown, machine := a.shown.Add(real.Sub(a.real)), k.machineTime(real)
	if machine.After(shown) { // put forward, or the machine slept, during which the steady clock stands
		if machine.Sub(shown) > time.Second {
			k.anchor.CompareAndSwap(a, &anchor{real: real, shown: machine})
		}
		shown = machine
	}
	for micro := shown.UnixMicro(); ; {
		last := k.lastMicro.Load()
		if micro <= last {
			shown = time.UnixMicro(last)
			break
		}
		if k.lastMicro.CompareAndSwap(last, micro) {
			break
		}
	}
	return shown.UTC().Add(time.Duration(k.advanced.Load())).Truncate(time.Millisecond)
}

func (k *appClock) reachTime(stored time.Time) {
	if now := k.currentTime(); stored.After(now) {
		k.anchor.Store(&anchor{real: time.Now(), shown: stored.Add(-time.Duration(k.advanced.Load()))})
	}
}
