package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/sweep"
)

// Patience is how long a reader waits for a top-up before the feed is shown as it is.
const Patience = 50 * time.Millisecond

// missing are the posts of celebrities that a viewer follows which are newer than
// the oldest row the viewer has, and in the feed of nobody yet.
const missing = `SELECT p.* FROM follows f JOIN users u ON u.id = f.followee AND u.celebrity JOIN posts p ON p.author = u.id
	WHERE f.follower = {:viewer} AND f.state = 'accepted' AND p.visibility != 'private'
		AND p.created > coalesce((SELECT at FROM feed WHERE viewer = {:viewer} ORDER BY at, post LIMIT 1), '')
		AND NOT EXISTS (SELECT 1 FROM feed WHERE viewer = {:viewer} AND post = p.id)`

// anyMissing asks first whether there are celebrities at all.
var anyMissing = `SELECT 1 FROM (SELECT 1 FROM users WHERE celebrity LIMIT 1) CROSS JOIN (` + missing + `) p WHERE 1` + fmt.Sprintf(wanted, "{:viewer}") + ` LIMIT 1`

// TopUps adds what celebrities posted when somebody looks at their feed, since posts of theirs are not
// fanned out. The reader's request itself writes nothing.
type TopUps struct {
	app core.App

	mu      sync.Mutex
	pending map[string]chan struct{} // by viewer; closed when done
	slots   chan struct{}
}

// NewTopUps returns the top-ups of app.
func NewTopUps(app core.App) *TopUps {
	return &TopUps{app: app, pending: map[string]chan struct{}{}, slots: make(chan struct{}, 2)}
}

// Wait asks for the viewer's top-up, if anything is missing, and waits for it until it is done, for Patience or until ctx ends.
func (t *TopUps) Wait(ctx context.Context, viewer string) {
	var one int
	params := db.Params{"viewer": viewer, "now": clock.Stamp(t.app)}
	found, err := db.Value(t.app, &one, anyMissing, params)
	if err != nil || !found { //nolint:nilerr // the listing itself says what cannot be read
		return // the feed is shown as it is
	}
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-t.start(viewer, params):
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (t *TopUps) start(viewer string, params db.Params) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if done, running := t.pending[viewer]; running {
		return done
	}
	done := make(chan struct{})
	t.pending[viewer] = done
	routine.FireAndForget(func() {
		t.slots <- struct{}{}
		defer func() {
			<-t.slots
			t.mu.Lock()
			delete(t.pending, viewer)
			t.mu.Unlock()
			close(done)
		}()
		err := t.app.RunInTransaction(func(tx core.App) error {
			_, err := spread(tx, insert+`SELECT `+db.NewID+`, {:viewer}, p.id, p.author, p.created, 0, {:now}, {:now}
				FROM (`+missing+` ORDER BY p.created DESC LIMIT 200) p WHERE 1`+fmt.Sprintf(wanted, "{:viewer}"), params)
			return err
		})
		if err != nil {
			t.app.Logger().Error("feed not topped up", "viewer", viewer, "err", err)
		}
	})
	return done
}

// Long returns up to most viewers whose feeds have more than Kept rows.
func Long(app core.App, most int) ([]string, error) {
	var viewers []string
	err := db.Column(app, &viewers, `SELECT viewer FROM feed GROUP BY viewer HAVING count(*) > {:kept} LIMIT {:n}`,
		db.Params{"kept": Kept, "n": most})
	if err != nil {
		return nil, fmt.Errorf("find long feeds: %w", err)
	}
	return viewers, nil
}

// Trim cuts the feed of a viewer to its newest Kept rows.
var Trim = sweep.Work{Kind: "feed.cut", Parts: []sweep.Part{sweep.Delete("feed", fmt.Sprintf(`viewer = {:viewer}
	AND (at, post) < (SELECT at, post FROM feed WHERE viewer = {:viewer} ORDER BY at DESC, post DESC LIMIT 1 OFFSET %d)`, Kept-1))}}
