package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Cases returns every case, in the order in which they are run.
func Cases() []Case {
	return []Case{
		likes(1), likes(16), likes(64),
		feed(1), feed(8), feed(64),
		page("tray-8", 8, func(t *Target, n int, do Do) ([]byte, error) { return t.API.Tray(do, t.reader(n)) }),
		page("grid-8", 8, func(t *Target, n int, do Do) ([]byte, error) { return t.API.Grid(do, t.reader(n), t.reader(n*7+1).ID) }),
		comments(16),
		{Name: "burst", Writes: true, Run: burst},
		{Name: "upload", Writes: true, Run: upload},
		{Name: "notify", Writes: true, Run: notify},
	}
}

func (t *Target) reader(n int) Person { return t.Readers[n%len(t.Readers)] }

func only(name string, m Metrics, err error) ([]Row, error) {
	if m == nil {
		return nil, err
	}
	return []Row{{name, m}}, err
}

// likes is different people who like different posts.
func likes(at int) Case {
	name := fmt.Sprintf("likes-%d", at)
	return Case{Name: name, Writes: true, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &loop{Target: t, at: at, warm: o.Warm, run: o.Run, step: func(_, _ int, l *Line) error {
			who, post := t.Like()
			return t.like(l, who, post)
		}}
		m, err := l.measure(ctx)
		return only(name, m, err)
	}}
}

// like likes a post until the server takes it.
func (t *Target) like(l *Line, who Person, post string) error {
	body, err := l.Do(t.API.Like(who, post))
	if err == nil && !bytes.Contains(body, []byte(post)) {
		err = fmt.Errorf("a like of %s was answered with %s", post, body)
	}
	return t.count(&t.Likes, err)
}

// count notes that a write was acknowledged, or that it may have been stored.
func (t *Target) count(written *atomic.Int64, err error) error {
	if err == nil {
		written.Add(1)
	} else if !errors.Is(err, errRefused) {
		t.Unclear.Add(1)
	}
	return err
}

func comments(at int) Case {
	name := fmt.Sprintf("comment-%d", at)
	return Case{Name: name, Writes: true, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &loop{Target: t, at: at, warm: o.Warm, run: o.Run, step: func(_, n int, l *Line) error {
			_, err := l.Do(t.API.Comment(t.reader(n), t.Posts[n*7919%len(t.Posts)], "What a light, where is it?"))
			return t.count(&t.Comments, err)
		}}
		m, err := l.measure(ctx)
		return only(name, m, err)
	}}
}

// feed is different people who look at the newest page of their feed. One page is looked at closely before.
func feed(at int) Case {
	c := page(fmt.Sprintf("feed-%d", at), at, func(t *Target, n int, do Do) ([]byte, error) { return t.API.Feed(do, t.reader(n)) })
	measured := c.Run
	c.Run = func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l, err := NewLine(t.Address, 0)
		if err != nil {
			return nil, err
		}
		defer l.Close()
		for n := range 5 {
			body, err := t.API.Feed(l.Do, t.reader(n))
			if err == nil {
				err = t.API.Seen(body, t.reader(n))
			}
			if err != nil {
				return nil, fmt.Errorf("feed of %s: %w", t.reader(n).ID, err)
			}
		}
		return measured(ctx, t, o)
	}
	return c
}

// page is one page that the nth reader looks at.
func page(name string, at int, get func(t *Target, n int, do Do) ([]byte, error)) Case {
	return Case{Name: name, Run: func(ctx context.Context, t *Target, o Options) ([]Row, error) {
		l := &loop{Target: t, at: at, warm: o.Warm, run: o.Run, step: func(_, n int, l *Line) error {
			body, err := get(t, n, l.Do)
			if err == nil && bytes.Count(body, []byte(`"collectionName":`)) < 5 {
				err = fmt.Errorf("a page with next to nothing: %s", body)
			}
			return err
		}}
		m, err := l.measure(ctx)
		return only(name, m, err)
	}}
}
