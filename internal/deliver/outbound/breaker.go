package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2" // the states of a circuit breaker, and what may pass while it is half open
)

// ErrCircuitOpen says that a host failed so often that it is not asked for a while.
var ErrCircuitOpen = errors.New("left in peace after failures")

// maxHosts is how many failing hosts are remembered; strangers choose them.
const maxHosts = 4096

// breakers holds one circuit breaker for each host that fails. A host that works needs none.
type breakers struct {
	mu    sync.Mutex
	hosts map[string]*gobreaker.TwoStepCircuitBreaker[any]
}

// beginRequest returns a function that takes the outcome of a request to host, or ErrCircuitOpen if host must not be
// asked now.
func (b *breakers) beginRequest(c *Client, host string) (end func(error), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	breaker := b.hosts[host]
	if breaker == nil {
		breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Timeout:     c.BreakerTimeout,
			ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= c.MaxFailures },
			IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) }, // we are stopping
		})
		if b.hosts == nil {
			b.hosts = map[string]*gobreaker.TwoStepCircuitBreaker[any]{}
		}
		for other := range b.hosts {
			if len(b.hosts) < maxHosts {
				break
			}
			delete(b.hosts, other)
		}
		b.hosts[host] = breaker
	}
	done, err := breaker.Allow()
	if err != nil {
		return nil, ErrCircuitOpen
	}
	return func(failed error) {
		done(failed)
		b.mu.Lock()
		defer b.mu.Unlock()
		if counts := breaker.Counts(); breaker.State() == gobreaker.StateClosed && counts.ConsecutiveFailures == 0 && b.hosts[host] == breaker {
			delete(b.hosts, host)
		}
	}, nil
}

// failureOf returns what counts against a host, or nil: that it does not answer or has an error of its own, not that
// it refuses a request.
func failureOf(answer *Response, err error) error {
	if err == nil && answer.Status >= http.StatusInternalServerError {
		return fmt.Errorf("status %d", answer.Status)
	}
	return err
}

// parseRetryAfter reads a Retry-After header, in seconds or as a date, and limits it to a day.
func parseRetryAfter(value string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), 24*time.Hour)
}
