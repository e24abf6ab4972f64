package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

const (
	seenEvery    = 15 * time.Minute // how exactly a row tells when its session was used
	endedFor     = 15 * time.Minute // for how long a session is known to have ended: longer than any request takes
	saveInterval = 5 * time.Minute
)

// Register knows of the sessions in use what their rows do not tell yet: that one is ending, and that one was used. The
// first is for requests under way, whose token was right when they came; the second spares a write for each request.
type Register struct {
	// OnEnd runs after the commit that ends sessions of a user.
	OnEnd func(user string, ids []string)

	mu      sync.Mutex // guards all below
	ended   map[string]time.Time
	seen    map[string]time.Time // in the last seenEvery
	unsaved map[string]time.Time
}

// End ends sessions of a user. From now on HasEnded says so, unless the transaction is rolled back: who writes next finds
// them ended.
func (r *Register) End(tx core.App, user string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	r.markEnded(ids)
	tx.TxInfo().OnComplete(func(err error) error {
		if err != nil {
			r.unmarkEnded(ids)
		}
		return nil
	})
	db.AfterCommit(tx, func() { r.OnEnd(user, ids) })
	return Delete(tx, ids)
}

func (r *Register) markEnded(ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for id, at := range r.ended {
		if now.Sub(at) > endedFor {
			delete(r.ended, id)
		}
	}
	if r.ended == nil {
		r.ended = map[string]time.Time{}
	}
	for _, id := range ids {
		r.ended[id] = now
		delete(r.unsaved, id)
	}
}

func (r *Register) unmarkEnded(ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.ended, id)
	}
}

// HasEnded reports whether the session in which the caller came was ended since. Ask it inside the transaction of a write.
func (r *Register) HasEnded(caller *core.Record) bool {
	id := Of(caller)
	if id == "" {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ended := r.ended[id]
	return ended
}

// NoteSeen notes that the session in which the caller came is used now.
func (r *Register) NoteSeen(app core.App, caller *core.Record) {
	id := Of(caller)
	if id == "" {
		return
	}
	now := clock.Now(app)
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.seen[id]; known && now.Sub(at) < seenEvery {
		return
	}
	if r.seen == nil {
		r.seen, r.unsaved = map[string]time.Time{}, map[string]time.Time{}
	}
	r.seen[id], r.unsaved[id] = now, now
}

// LastSeen returns when a session was used, whose row says stored.
func (r *Register) LastSeen(id, stored string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.seen[id]; known {
		return max(clock.FormatTime(at), stored)
	}
	return stored
}

// use is that a session was used.
type use struct {
	id string
	at time.Time
}

// Save stores when sessions were used, in steps. What could not be stored waits for the next time.
func (r *Register) Save(ctx context.Context, app core.App) error {
	uses := r.takeUnsaved(clock.Now(app))
	done, err := db.RunInSteps(ctx, app, uses, func(tx core.App, some []use) error {
		for _, u := range some {
			at := clock.FormatTime(u.at)
			if _, err := db.Exec(tx, `UPDATE account_sessions SET lastSeen = {:at} WHERE id = {:id} AND lastSeen < {:at}`, db.Params{"id": u.id, "at": at}); err != nil {
				return fmt.Errorf("store the use of session %s: %w", u.id, err)
			}
		}
		return nil
	})
	if err != nil {
		r.putBack(uses[done:])
	}
	return err
}

// takeUnsaved returns what is to be stored, and forgets the uses that are no longer of use.
func (r *Register) takeUnsaved(now time.Time) []use {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, at := range r.seen {
		if now.Sub(at) >= seenEvery {
			delete(r.seen, id)
		}
	}
	uses := make([]use, 0, len(r.unsaved))
	for id, at := range r.unsaved {
		uses = append(uses, use{id, at})
	}
	clear(r.unsaved)
	return uses
}

func (r *Register) putBack(uses []use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range uses {
		if r.unsaved[u.id].Before(u.at) {
			r.unsaved[u.id] = u.at
		}
	}
}

// Run saves now and then until ctx ends, and once more then.
func (r *Register) Run(ctx context.Context, app core.App) {
	ticker := time.NewTicker(saveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := r.Save(last, app); err != nil {
				app.Logger().Warn("the last uses of sessions are not stored", "err", err)
			}
			return
		}
		if err := r.Save(ctx, app); err != nil && ctx.Err() == nil {
			app.Logger().Error("uses of sessions are not stored", "err", err)
		}
	}
}
