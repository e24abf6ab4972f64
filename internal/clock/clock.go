// Package clock gives an app its time. That never goes back while the process lives, whatever happens to the machine's
// clock, since rows are ordered by it; and a test can move it instead of waiting.
package clock

import (
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const storeKey = "doubletap.clock"

// maxAhead is how far a stored time may be ahead of the machine's clock: by as much may two readings of it differ.
const maxAhead = time.Minute

// Now returns the time of app in UTC, cut to the millisecond that the database stores: the time of the machine's clock
// or, where that was put back, the time it would show without that. Transactions of one app share its clock; two apps
// in one process do not.
func Now(app core.App) time.Time { return clockOf(app).currentTime() }

// Timestamp returns Now as the text that a date column holds. Such texts sort by time.
func Timestamp(app core.App) string { return FormatTime(Now(app)) }

// FormatTime returns t as the text that a date column holds.
func FormatTime(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }

// ParseTime returns the time of a date column's text.
func ParseTime(text string) (time.Time, error) { return time.Parse(types.DefaultDateLayout, text) }

// Advance moves the clock of app forward by d, or back if d is negative.
func Advance(app core.App, d time.Duration) { clockOf(app).advanced.Add(int64(d)) }

// LatestPlausible returns the latest time that a stored moment may have: anything later is in the future by the
// machine's clock.
func LatestPlausible(app core.App) time.Time {
	c := clockOf(app)
	return c.machineTime(time.Now()).Add(time.Duration(c.advanced.Load()) + maxAhead)
}

// ContinueFrom makes the clock go on at a stored moment, if it has not reached that yet.
func ContinueFrom(app core.App, stored time.Time) { clockOf(app).reachTime(stored) }

// FollowMachine sets the clock to the machine's clock again, even if that was put back: Now may go back, once.
func FollowMachine(app core.App) {
	c := clockOf(app)
	real := time.Now()
	c.anchor.Store(&anchor{real: real, shown: c.machineTime(real)})
	c.lastMicro.Store(0)
}

// ShiftMachine makes the machine's clock look put forward by d, or back if d is negative, to app alone.
func ShiftMachine(app core.App, d time.Duration) { clockOf(app).machineShift.Add(int64(d)) }

// appClock is the clock of one app.
type appClock struct {
	anchor       atomic.Pointer[anchor]
	lastMicro    atomic.Int64 // the newest moment that was returned, without what Advance added, in Unix microseconds
	advanced     atomic.Int64 // by Advance
	machineShift atomic.Int64 // by ShiftMachine
}

// anchor is a moment at which both the steady clock of the process and the time that was shown are known.
type anchor struct {
	real  time.Time // with a reading of the steady clock
	shown time.Time
}

func clockOf(app core.App) *appClock {
	return app.Store().GetOrSet(storeKey, func() any {
		c := &appClock{}
		real := time.Now()
		c.anchor.Store(&anchor{real: real, shown: real.Round(0)})
		return c
	}).(*appClock)
}

// machineTime returns what the machine's clock shows at real, without Go's reading of the steady clock.
func (c *appClock) machineTime(real time.Time) time.Time {
	return real.Round(0).Add(time.Duration(c.machineShift.Load()))
}

func (c *appClock) currentTime() time.Time {
	real, a := time.Now(), c.anchor.Load()
	shown, machine := a.shown.Add(real.Sub(a.real)), c.machineTime(real)
	if machine.After(shown) { // put forward, or the machine slept, during which the steady clock stops
		if machine.Sub(shown) > time.Second {
			c.anchor.CompareAndSwap(a, &anchor{real: real, shown: machine})
		}
		shown = machine
	}
	for micro := shown.UnixMicro(); ; {
		last := c.lastMicro.Load()
		if micro <= last {
			shown = time.UnixMicro(last)
			break
		}
		if c.lastMicro.CompareAndSwap(last, micro) {
			break
		}
	}
	return shown.UTC().Add(time.Duration(c.advanced.Load())).Truncate(time.Millisecond)
}

func (c *appClock) reachTime(stored time.Time) {
	if now := c.currentTime(); stored.After(now) {
		c.anchor.Store(&anchor{real: time.Now(), shown: stored.Add(-time.Duration(c.advanced.Load()))})
	}
}
