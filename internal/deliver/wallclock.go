package deliver

import "time"

// wallClockLayout is how a time of day is stored, such as "22:00".
const wallClockLayout = "15:04"

// sinceMidnight returns what a wall clock shows at a moment, as the time since 00:00.
func sinceMidnight(at time.Time) time.Duration {
	hour, minute, second := at.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(at.Nanosecond())
}

// untilWallClock returns how long a clock that nobody puts forward or back takes from at to hour's time of day: more
// than zero, and at most a day.
func untilWallClock(at, hour time.Time) time.Duration {
	left := sinceMidnight(hour) - sinceMidnight(at)
	if left <= 0 {
		left += 24 * time.Hour
	}
	return left
}

// nextWallClock returns the first moment after at when the clock there shows hour's time of day, or is put forward
// past it.
func nextWallClock(at, hour time.Time) time.Time {
	for {
		end := at.Add(untilWallClock(at, hour))
		change, changes := clockChange(at)
		if !changes || change.After(end) {
			return end
		}
		if shift := utcOffset(change) - utcOffset(at); shift >= end.Sub(change) {
			return change
		}
		at = change
	}
}

// clockChange returns when the clock at at's place is put forward or back next, or false if never.
func clockChange(at time.Time) (change time.Time, changes bool) {
	_, change = at.ZoneBounds()
	return change, !change.IsZero()
}

func utcOffset(at time.Time) time.Duration {
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second
}
