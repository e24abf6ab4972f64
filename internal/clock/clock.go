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

// tolerated is how far what is stored may lie ahead of the machine's clock: what two readings of it may differ by.
const tolerated = time.Minute

// Now returns the time of app in UTC, cut to the millisecond that the database keeps: that of the machine's clock, or where
// that was put back, what it would show if it had not been. Transactions of one app share its clock; two apps in one
// process do not.
func Now(app core.App) time.Time { return of(app).now() }

// Stamp returns Now as the text that a date column holds; such texts sort by time.
func Stamp(app core.App) string { return Text(Now(app)) }

// Text returns t as the text that a date column holds.
func Text(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }

// Read returns the time that a date column's text says.
func Read(text string) (time.Time, error) { return time.Parse(types.DefaultDateLayout, text) }

// Advance moves the clock of app forward by d, or back.
func Advance(app core.App, d time.Duration) { of(app).moved.Add(int64(d)) }

// Latest is what no stored moment may lie behind of: the machine's clock says that it has not been yet.
func Latest(app core.App) time.Time {
	k := of(app)
	return k.machine(time.Now()).Add(time.Duration(k.moved.Load()) + tolerated)
}

// GoOn makes the clock go on at a moment that is stored, if it has not come that far.
func GoOn(app core.App, stored time.Time) { of(app).reach(stored) }

// Restart gives up what was held against the machine's clock: Now may go back, once.
func Restart(app core.App) {
	k := of(app)
	real := time.Now()
	k.anchor.Store(&anchor{real: real, shown: k.machine(real)})
	k.last.Store(0)
}

// PutMachine makes the machine's clock look put forward by d, or back, to app alone.
func PutMachine(app core.App, d time.Duration) { of(app).put.Add(int64(d)) }

// keeper is the clock of one app.
type keeper struct {
	anchor atomic.Pointer[anchor]
	last   atomic.Int64 // the newest moment given out, without what Advance added, in Unix microseconds
	moved  atomic.Int64 // by Advance
	put    atomic.Int64 // by PutMachine
}

// anchor is a moment of which both the steady clock of the process and the time that was shown are known.
type anchor struct {
	real  time.Time // with the reading of the steady clock
	shown time.Time
}

func of(app core.App) *keeper {
	return app.Store().GetOrSet(storeKey, func() any {
		k := &keeper{}
		real := time.Now()
		k.anchor.Store(&anchor{real: real, shown: real.Round(0)})
		return k
	}).(*keeper)
}

// machine is what the machine's clock shows, without the steady reading that Go keeps beside it.
func (k *keeper) machine(real time.Time) time.Time {
	return real.Round(0).Add(time.Duration(k.put.Load()))
}

func (k *keeper) now() time.Time {
	real, a := time.Now(), k.anchor.Load()
	shown, machine := a.shown.Add(real.Sub(a.real)), k.machine(real)
	if machine.After(shown) { // put forward, or the machine slept, during which the steady clock stands
		if machine.Sub(shown) > time.Second {
			k.anchor.CompareAndSwap(a, &anchor{real: real, shown: machine})
		}
		shown = machine
	}
	for micro := shown.UnixMicro(); ; {
		last := k.last.Load()
		if micro <= last {
			shown = time.UnixMicro(last)
			break
		}
		if k.last.CompareAndSwap(last, micro) {
			break
		}
	}
	return shown.UTC().Add(time.Duration(k.moved.Load())).Truncate(time.Millisecond)
}

func (k *keeper) reach(stored time.Time) {
	if now := k.now(); stored.After(now) {
		k.anchor.Store(&anchor{real: time.Now(), shown: stored.Add(-time.Duration(k.moved.Load()))})
	}
}
