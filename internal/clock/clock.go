// Package clock tells a service what time it is, so that a test can move time
// instead of waiting for it.
package clock

import (
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const storeKey = "doubletap.clock"

// Now returns the time of app in UTC, cut to the millisecond that the database keeps.
// Transactions of one app share its clock; two apps in one process do not.
func Now(app core.App) time.Time {
	return time.Now().UTC().Add(time.Duration(offset(app).Load())).Truncate(time.Millisecond)
}

// Stamp returns Now as the text that a date column holds; such texts sort by time.
func Stamp(app core.App) string {
	return Text(Now(app))
}

// Text returns t as the text that a date column holds.
func Text(t time.Time) string {
	return t.UTC().Format(types.DefaultDateLayout)
}

// Advance moves the clock of app forward by d.
func Advance(app core.App, d time.Duration) {
	offset(app).Add(int64(d))
}

func offset(app core.App) *atomic.Int64 {
	return app.Store().GetOrSet(storeKey, func() any { return new(atomic.Int64) }).(*atomic.Int64)
}

// Read returns the time that a date column's text says.
func Read(text string) (time.Time, error) { return time.Parse(types.DefaultDateLayout, text) }
