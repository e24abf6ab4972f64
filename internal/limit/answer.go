package limit

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/tools/router"
)

// exceededError is the cause of a 429, for the middleware that adds the headers.
type exceededError struct{ state State }

func (e exceededError) Error() string { return "over the limit " + Definitions[e.state.Rule].Name }

// Error returns the 429 of a state with a Wait, in PocketBase's shape, and nil for any other state.
func (s State) Error() error {
	if s.Wait == 0 {
		return nil
	}
	return router.NewApiError(http.StatusTooManyRequests, "That was a lot at once. Please try again in "+formatWait(s.Wait)+".", exceededError{s})
}

// StateOf returns the state that an error answers.
func StateOf(err error) (State, bool) {
	answer, ok := errors.AsType[*router.ApiError](err)
	if !ok {
		return State{}, false
	}
	cause, ok := answer.RawData().(exceededError)
	return cause.state, ok
}

// seconds returns a time in whole seconds, none too few.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// formatWait returns a time as a person says it, none too short.
func formatWait(wait time.Duration) string {
	n, unit := seconds(wait), "second"
	switch {
	case n > 2*60*60:
		n, unit = (n+60*60-1)/(60*60), "hour"
	case n > 2*60:
		n, unit = (n+60-1)/60, "minute"
	}
	if n > 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}

// SetHeaders tells a client of a rule that it has used up, or nearly: RateLimit and RateLimit-Policy as the IETF's draft
// has them, and Retry-After when it has to wait.
func (l *Limits) SetHeaders(header http.Header, s State) {
	d := l.definitions[s.Rule]
	policy := `"` + d.Name + `";q=` + strconv.Itoa(d.Most)
	reset := s.Wait
	if d.In > 0 {
		policy += ";w=" + strconv.FormatInt(seconds(d.In), 10)
		reset = max(reset, time.Duration(l.rates[s.Rule].interval))
	}
	header.Set("RateLimit-Policy", policy)
	header.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%d`, d.Name, s.Left, seconds(reset)))
	if s.Wait > 0 {
		header.Set("Retry-After", strconv.FormatInt(seconds(s.Wait), 10))
	}
}

// IsLow reports whether a client should hear that it nears the limit: a quarter or less is left.
func (l *Limits) IsLow(s State) bool { return s.Wait > 0 || s.Left*4 <= int64(l.Most(s.Rule)) }
