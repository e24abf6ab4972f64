package load

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is people who are connected and listen to their own notifications.
type crowd struct {
	target  *Target
	streams []*stream
	strange atomic.Int64 // messages that reached one of them and are somebody else's
	gone    atomic.Int64 // streams that ended by themselves
	closing atomic.Bool
}

const doors = 16 // streams that are opened at once

// grow opens streams until n are connected.
func (c *crowd) grow(ctx context.Context, n int) error {
	if n > len(c.target.Others) {
		return fmt.Errorf("%d are to be connected, but there are only %d people", n, len(c.target.Others))
	}
	from := len(c.streams)
	c.streams = append(c.streams, make([]*stream, max(0, n-from))...)
	errs := make(chan error, doors)
	var wg sync.WaitGroup
	for door := range doors {
		wg.Go(func() {
			line, err := NewLine(c.target.Address, door)
			if err != nil {
				errs <- err
				return
			}
			defer line.Close()
			for i := from + door; i < n && ctx.Err() == nil; i += doors {
				if c.streams[i], err = c.admit(line, door, c.target.Others[i]); err != nil {
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

func (c *crowd) admit(line *Line, door int, who Person) (*stream, error) {
	s, err := connect(c.target.Address, door) // PocketBase wants both from one address
	if err != nil {
		return nil, err
	}
	if err := s.subscribe(line, who); err != nil {
		s.conn.Close()
		return nil, err
	}
	go func() {
		_ = s.read(func(data []byte, _ time.Time) {
			if !strings.Contains(string(data), `"recipient":"`+who.ID+`"`) {
				c.strange.Add(1)
			}
		})
		if !c.closing.Load() {
			c.gone.Add(1)
		}
	}()
	return s, nil
}

// Connect connects n of the others, who listen until disconnect is called.
func Connect(ctx context.Context, t *Target, n int) (disconnect func(), err error) {
	c := &crowd{target: t}
	return c.close, c.grow(ctx, n)
}

// close disconnects everybody.
func (c *crowd) close() {
	c.closing.Store(true)
	for _, s := range c.streams {
		if s != nil {
			s.conn.Close()
		}
	}
}
