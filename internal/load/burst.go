package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

// runBurst measures one post that many people like at once, by 64 workers without pauses. It compares the count that
// the post shows afterwards with the likes that were acknowledged.
func runBurst(ctx context.Context, t *Target, o Options) ([]Row, error) {
	owner := t.Owner()
	post := owner.Posts[0]
	conn, err := DialClient(t.Address, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	before, err := t.shownLikes(conn, owner.Person, post)
	if err != nil {
		return nil, err
	}
	var liked atomic.Int64
	l := &closedLoop{Target: t, workerCount: 64, steps: o.Likers, step: func(_, n int, l *ClientConn) error {
		who, ok := owner.Liker(0, n)
		if !ok {
			return fmt.Errorf("only %d people can like the post", n)
		}
		err := t.sendLike(l, who, post)
		if err == nil {
			liked.Add(1)
		}
		return err
	}}
	m, err := l.measureLoop(ctx)
	if m == nil {
		return nil, err
	}
	after, shownErr := t.shownLikes(conn, owner.Person, post)
	if shownErr != nil {
		return nil, shownErr
	}
	if got, want := after-before, int(liked.Load()); got != want {
		err = errors.Join(err, fmt.Errorf("%d people liked the post at once and it shows %d: %.1f %% lost", want, got, 100*float64(want-got)/float64(want)))
	}
	return singleRow("burst", m, err)
}

// shownLikes returns the count of likes that a post's record shows.
func (t *Target) shownLikes(l *ClientConn, who Person, post string) (int, error) {
	body, err := l.SendRequest(Request{Method: "GET", Path: "/api/collections/posts/records/" + post, Token: who.Token})
	if err != nil {
		return 0, err
	}
	var record map[string]any
	if err := json.Unmarshal(body, &record); err != nil {
		return 0, err
	}
	count, ok := record[t.API.LikesCountField].(float64)
	if !ok {
		return 0, fmt.Errorf("post %s has no %s", post, t.API.LikesCountField)
	}
	return int(count), nil
}
