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
	likesGiven []atomic.Int64 // by post: how many likes the benchmark gave it

	mu       sync.Mutex
	awaiting map[string]chan time.Time // by post and actor: where the time of the notification is sent
}

func (t *Target) watchOwner() (*watchedOwner, error) {
	conn, err := DialClient(t.Address, connectWorkers)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	s, err := connectStream(t.Address, connectWorkers)
	if err != nil {
		return nil, err
	}
	w := &watchedOwner{Owner: t.Owner(), stream: s, target: t, awaiting: map[string]chan time.Time{}}
	w.likesGiven = make([]atomic.Int64, len(w.Posts))
	if err := s.subscribe(conn, w.Person); err != nil {
		s.conn.Close()
		return nil, err
	}
	s.reading.Go(func() { _ = s.readMessages(w.receiveNotification) }) // if the stream ends, the notifications count as lost
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

// probeLike likes one of the owner's posts and returns the time until its notification came, or errLost after
// notificationTimeout.
func (w *watchedOwner) probeLike(ctx context.Context, conn *ClientConn, post int) (time.Duration, error) {
	who, ok := w.Liker(post, int(w.likesGiven[post].Add(1))-1)
	if !ok {
		return 0, fmt.Errorf("everybody likes post %s", w.Posts[post])
	}
	received := make(chan time.Time, 1)
	key := w.Posts[post] + who.ID
	w.mu.Lock()
	w.awaiting[key] = received
	w.mu.Unlock()
	start := time.Now()
	if err := w.target.sendLike(conn, who, w.Posts[post]); err != nil {
		return 0, err
	}
	timer := time.NewTimer(notificationTimeout)
	defer timer.Stop()
	select {
	case at := <-received:
		return at.Sub(start), nil
	case <-timer.C:
		return 0, errLost
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
