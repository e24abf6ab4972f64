package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// AllCases returns every case, in the order in which they are run.
func AllCases() []Case {
	return []Case{
		likesCase(1), likesCase(16), likesCase(64),
		feedCase(1), feedCase(8), feedCase(64),
		pageCase("tray-8", 8, func(t *Target, n int, do SendFunc) ([]byte, error) { return t.API.Tray(do, t.nthReader(n)) }),
		pageCase("grid-8", 8, func(t *Target, n int, do SendFunc) ([]byte, error) {
			return t.API.Grid(do, t.nthReader(n), t.nthReader(n*7+1).ID)
		}),
		commentsCase(16),
		{Name: "burst", Writes: true, Run: runBurst},
		{Name: "upload", Writes: true, Run: runUpload},
		{Name: "notify", Writes: true, Run: runNotify},
	}
}

func (t *Target) nthReader(n int) Person { return t.Readers[n%len(t.Readers)] }

func singleRow(name string, m Metrics, err error) ([]Row, error) {
	if m == nil {
		return nil, err
	}
	return []Row{{name, m}}, err
}

// likesCase measures different people who like different posts, with at workers.
func likesCase(at int) Case {
	name := fmt.Sprintf("likes-%d", at)
	return Case{Name: name, Writes: true, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &closedLoop{Target: t, workerCount: at, warm: o.Warm, run: o.Run, step: func(_, _ int, l *ClientConn) error {
			who, post := t.Like()
			return t.sendLike(l, who, post)
		}}
		m, err := l.measureLoop(ctx)
		return singleRow(name, m, err)
	}}
}

// sendLike sends a like and counts it as acknowledged or, unless it was refused, as unknown.
func (t *Target) sendLike(l *ClientConn, who Person, post string) error {
	body, err := l.SendRequest(t.API.Like(who, post))
	if err == nil && !bytes.Contains(body, []byte(post)) {
		err = fmt.Errorf("a like of %s was answered with %s", post, body)
	}
	return t.countWrite(&t.Likes, err)
}

// countWrite counts a write as acknowledged or, if it may have been stored all the same, as unknown, and returns err.
func (t *Target) countWrite(written *atomic.Int64, err error) error {
	if err == nil {
		written.Add(1)
	} else if !errors.Is(err, errRefused) {
		t.UnknownWrites.Add(1)
	}
	return err
}

func commentsCase(at int) Case {
	name := fmt.Sprintf("comment-%d", at)
	return Case{Name: name, Writes: true, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &closedLoop{Target: t, workerCount: at, warm: o.Warm, run: o.Run, step: func(_, n int, l *ClientConn) error {
			_, err := l.SendRequest(t.API.Comment(t.nthReader(n), t.Posts[n*7919%len(t.Posts)], "What a light, where is it?"))
			return t.countWrite(&t.Comments, err)
		}}
		m, err := l.measureLoop(ctx)
		return singleRow(name, m, err)
	}}
}

// feedCase measures different people who load the newest page of their feed. Before that it checks the content of
// five pages.
func feedCase(at int) Case {
	c := pageCase(fmt.Sprintf("feed-%d", at), at, func(t *Target, n int, do SendFunc) ([]byte, error) { return t.API.Feed(do, t.nthReader(n)) })
	measured := c.Run
	c.Run = func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l, err := DialClient(t.Address, 0)
		if err != nil {
			return nil, err
		}
		defer l.Close()
		for n := range 5 {
			body, err := t.API.Feed(l.SendRequest, t.nthReader(n))
			if err == nil {
				err = t.API.CheckFeedPage(body, t.nthReader(n))
			}
			if err != nil {
				return nil, fmt.Errorf("feed of %s: %w", t.nthReader(n).ID, err)
			}
		}
		return measured(ctx, t, o)
	}
	return c
}

// pageCase measures a page that get loads for the nth reader, with at workers.
func pageCase(name string, at int, get func(t *Target, n int, do SendFunc) ([]byte, error)) Case {
	return Case{Name: name, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &closedLoop{Target: t, workerCount: at, warm: o.Warm, run: o.Run, step: func(_, n int, l *ClientConn) error {
			body, err := get(t, n, l.SendRequest)
			if err == nil && bytes.Count(body, []byte(`"collectionName":`)) < 5 {
				err = fmt.Errorf("a page with next to nothing: %s", body)
			}
			return err
		}}
		m, err := l.measureLoop(ctx)
		return singleRow(name, m, err)
	}}
}
