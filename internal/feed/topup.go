package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/sweep"
)

// TopUpTimeout is how long a reader waits for a top-up before the feed is shown as it is.
const TopUpTimeout = 50 * time.Millisecond

// missingPosts selects the posts of celebrities whom a viewer follows that are newer than the oldest row of the
// viewer's feed and not in that feed yet.
const missingPosts = `SELECT p.* FROM follows f JOIN users u ON u.id = f.followee AND u.celebrity JOIN posts p ON p.author = u.id
	WHERE f.follower = {:viewer} AND f.state = 'accepted' AND p.visibility != 'private'
		AND p.created > coalesce((SELECT at FROM feed WHERE viewer = {:viewer} ORDER BY at, post LIMIT 1), '')
		AND NOT EXISTS (SELECT 1 FROM feed WHERE viewer = {:viewer} AND post = p.id)`

// anyMissingPost selects 1 if a post is missing. It looks first whether there are celebrities at all.
var anyMissingPost = `SELECT 1 FROM (SELECT 1 FROM users WHERE celebrity LIMIT 1) CROSS JOIN (` + missingPosts + `) p WHERE 1` + fmt.Sprintf(wantedCondition, "{:viewer}") + ` LIMIT 1`

// TopUps adds posts of celebrities to a feed when its viewer looks at it, since their posts are not fanned out. The
// reader's request itself writes nothing.
type TopUps struct {
	app core.App

	mu      sync.Mutex
	pending map[string]chan struct{} // by viewer; the channel is closed when the top-up is done
	slots   chan struct{}
}

// NewTopUps returns the top-ups of app.
func NewTopUps(app core.App) *TopUps {
	return &TopUps{app: app, pending: map[string]chan struct{}{}, slots: make(chan struct{}, 2)}
}

// WaitForTopUp starts the viewer's top-up if a post is missing, and waits until it is done, for TopUpTimeout, or until
// ctx ends. When the database cannot be read, it does nothing.
func (t *TopUps) WaitForTopUp(ctx context.Context, viewer string) {
	var one int
	params := db.Params{"viewer": viewer, "now": clock.Timestamp(t.app)}
	found, err := db.QueryValue(t.app, &one, anyMissingPost, params)
	if err != nil || !found { //nolint:nilerr // the listing itself says what cannot be read
		return // the feed is shown as it is
	}
	timer := time.NewTimer(TopUpTimeout)
	defer timer.Stop()
	select {
	case <-t.startTopUp(viewer, params):
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (t *TopUps) startTopUp(viewer string, params db.Params) <-chan struct{} {
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
			_, err := insertRows(tx, insertHead+`SELECT `+db.NewIDSQL+`, {:viewer}, p.id, p.author, p.created, 0, {:now}, {:now}
				FROM (`+missingPosts+` ORDER BY p.created DESC LIMIT 200) p WHERE 1`+fmt.Sprintf(wantedCondition, "{:viewer}"), params)
			return err
		})
		if err != nil {
			t.app.Logger().Error("feed not topped up", "viewer", viewer, "err", err)
		}
	})
	return done
}

// LongFeeds returns up to most viewers whose feeds have more than MaxRows rows.
func LongFeeds(app core.App, most int) ([]string, error) {
	var viewers []string
	err := db.QueryColumn(app, &viewers, `SELECT viewer FROM feed GROUP BY viewer HAVING count(*) > {:kept} LIMIT {:n}`,
		db.Params{"kept": MaxRows, "n": most})
	if err != nil {
		return nil, fmt.Errorf("find long feeds: %w", err)
	}
	return viewers, nil
}

// TrimWork cuts the feed of a viewer to its newest Kept rows.
var TrimWork = sweep.Work{Kind: "feed.cut", Parts: []sweep.Part{sweep.DeletePart("feed", fmt.Sprintf(`viewer = {:viewer}
	AND (at, post) < (SELECT at, post FROM feed WHERE viewer = {:viewer} ORDER BY at DESC, post DESC LIMIT 1 OFFSET %d)`, MaxRows-1))}}
