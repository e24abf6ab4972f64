package load

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// listenerCrowd is a number of people who are connected and listen to their own notifications.
type listenerCrowd struct {
	target       *Target
	streams      []*stream
	misdelivered atomic.Int64 // messages that reached one of them but are for another person
	endedStreams atomic.Int64 // streams that ended by themselves
	closing      atomic.Bool
}

const connectWorkers = 16 // streams that are opened at once

// connectUpTo opens streams until n are connected.
func (c *listenerCrowd) connectUpTo(ctx context.Context, n int) error {
	if n > len(c.target.Others) {
		return fmt.Errorf("%d are to be connected, but there are only %d people", n, len(c.target.Others))
	}
	from := len(c.streams)
	c.streams = append(c.streams, make([]*stream, max(0, n-from))...)
	errs := make(chan error, connectWorkers)
	var wg sync.WaitGroup
	for worker := range connectWorkers {
		wg.Go(func() {
			conn, err := DialClient(c.target.Address, worker)
			if err != nil {
				errs <- err
				return
			}
			defer conn.Close()
			for i := from + worker; i < n && ctx.Err() == nil; i += connectWorkers {
				if c.streams[i], err = c.connectOne(conn, worker, c.target.Others[i]); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return fmt.Errorf("connect %d listeners: %w", n, err)
	default:
		return ctx.Err()
	}
}

func (c *listenerCrowd) connectOne(conn *ClientConn, worker int, who Person) (*stream, error) {
	s, err := connectStream(c.target.Address, worker) // PocketBase requires the stream and its subscribe call from one address
	if err != nil {
		return nil, err
	}
	if err := s.subscribe(conn, who); err != nil {
		s.conn.Close()
		return nil, err
	}
	s.reading.Go(func() {
		_ = s.readMessages(func(data []byte, _ time.Time) {
			if !strings.Contains(string(data), `"recipient":"`+who.ID+`"`) {
				c.misdelivered.Add(1)
			}
		})
		if !c.closing.Load() {
			c.endedStreams.Add(1)
		}
	})
	return s, nil
}

// ConnectListeners connects n of t.Others, who listen until disconnect is called.
func ConnectListeners(ctx context.Context, t *Target, n int) (disconnect func(), err error) {
	c := &listenerCrowd{target: t}
	return c.closeAll, c.connectUpTo(ctx, n)
}

// closeAll disconnects everybody.
func (c *listenerCrowd) closeAll() {
	c.closing.Store(true)
	for _, s := range c.streams {
		if s != nil {
			s.close()
		}
	}
}
