package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// watchedOwner is an owner whose notifications are awaited.
type watchedOwner struct {
	Owner
	*stream
	target     *Target
	likesGiven []atomic.Int64 // by post: how many likes it got from us

	mu       sync.Mutex
	awaiting map[string]chan time.Time // by post and actor
}

func (t *Target) watchOwner() (*watchedOwner, error) {
	line, err := DialClient(t.Address, connectWorkers)
	if err != nil {
		return nil, err
	}
	defer line.Close()
	s, err := connectStream(t.Address, connectWorkers)
	if err != nil {
		return nil, err
	}
	w := &watchedOwner{Owner: t.Owner(), stream: s, target: t, awaiting: map[string]chan time.Time{}}
	w.likesGiven = make([]atomic.Int64, len(w.Posts))
	if err := s.subscribe(line, w.Person); err != nil {
		s.conn.Close()
		return nil, err
	}
	go func() { _ = s.readMessages(w.receiveNotification) }() // a stream that ends shows as notifications that never come
	return w, nil
}

func (w *watchedOwner) receiveNotification(data []byte, at time.Time) {
	post, actors := w.target.API.ParseNotification(data)
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

// probeLike gives a like to one of the owner's posts and waits for its notification.
func (w *watchedOwner) probeLike(ctx context.Context, line *ClientConn, post int) (time.Duration, error) {
	who, ok := w.Liker(post, int(w.likesGiven[post].Add(1))-1)
	if !ok {
		return 0, fmt.Errorf("everybody likes post %s", w.Posts[post])
	}
	heard := make(chan time.Time, 1)
	key := w.Posts[post] + who.ID
	w.mu.Lock()
	w.awaiting[key] = heard
	w.mu.Unlock()
	start := time.Now()
	if err := w.target.sendLike(line, who, w.Posts[post]); err != nil {
		return 0, err
	}
	timer := time.NewTimer(notificationTimeout)
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
