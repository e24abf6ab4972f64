package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// watched is an owner whose notifications are awaited.
type watched struct {
	Owner
	*stream
	target *Target
	used   []atomic.Int64 // by post: how many likes it got from us

	mu       sync.Mutex
	awaiting map[string]chan time.Time // by post and actor
}

func (t *Target) watch() (*watched, error) {
	line, err := NewLine(t.Address, doors)
	if err != nil {
		return nil, err
	}
	defer line.Close()
	s, err := connect(t.Address, doors)
	if err != nil {
		return nil, err
	}
	w := &watched{Owner: t.Owner(), stream: s, target: t, awaiting: map[string]chan time.Time{}}
	w.used = make([]atomic.Int64, len(w.Posts))
	if err := s.subscribe(line, w.Person); err != nil {
		s.conn.Close()
		return nil, err
	}
	go func() { _ = s.read(w.hear) }() // a stream that ends shows as notifications that never come
	return w, nil
}

func (w *watched) hear(data []byte, at time.Time) {
	post, actors := w.target.API.Heard(data)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, actor := range actors {
		if waiting := w.awaiting[post+actor]; waiting != nil {
			delete(w.awaiting, post+actor)
			waiting <- at
		}
	}
}

var errLost = errors.New("the notification did not come")

// probe gives a like to one of the owner's posts and waits for its notification.
func (w *watched) probe(ctx context.Context, line *Line, post int) (time.Duration, error) {
	who, ok := w.Liker(post, int(w.used[post].Add(1))-1)
	if !ok {
		return 0, fmt.Errorf("everybody likes post %s", w.Posts[post])
	}
	heard := make(chan time.Time, 1)
	key := w.Posts[post] + who.ID
	w.mu.Lock()
	w.awaiting[key] = heard
	w.mu.Unlock()
	start := time.Now()
	if err := w.target.like(line, who, w.Posts[post]); err != nil {
		return 0, err
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case at := <-heard:
		return at.Sub(start), nil
	case <-timer.C:
		return 0, errLost
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
