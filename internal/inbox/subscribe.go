package inbox

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// Subscribe takes the topics of our collections out of what PocketBase is asked for and serves them itself. What is
// committed after the answer reaches the device. Bind it to OnRealtimeSubscribeRequest.
func (in *Inbox) Subscribe(e *core.RealtimeSubscribeRequestEvent) error {
	d, known := e.Client.(*device)
	if !known {
		return e.Next()
	}
	d.subscribing.Lock()
	defer d.subscribing.Unlock()

	ours := topics(in.app, e.Subscriptions)
	if err := allowed(e.Auth, e.Subscriptions, ours); err != nil {
		return err
	}
	s := newSeat(d, e.Auth, ours)
	if err := in.openTray(s); err != nil {
		return err
	}
	was := d.Get(apis.RealtimeClientAuthKey)
	d.Set(apis.RealtimeClientAuthKey, e.Auth) // as PocketBase will, but before the first message
	before := in.sit(d, s)
	err := in.settle(s, e.Auth)
	if err == nil {
		e.Subscriptions = without(e.Subscriptions, ours)
		err = e.Next()
	}
	if err != nil {
		d.Set(apis.RealtimeClientAuthKey, was)
		in.sit(d, before)
	}
	return err
}

// newSeat returns the seat that the topics ask for. Nobody but users and superusers may see anything personal.
func newSeat(d *device, auth *core.Record, ours []topic) *seat {
	s := &seat{device: d, viewer: viewer(auth)}
	if auth != nil && auth.Collection().Name == "users" {
		s.person = auth.Id
	}
	s.super = auth != nil && auth.IsSuperuser()
	for _, t := range ours {
		if t.personal() && s.person == "" && !s.super {
			continue
		}
		if t.collection == posts && t.row != every && t.row != "" {
			if s.seen == nil {
				s.seen = map[string]bool{}
			}
			s.seen[t.row] = false
		}
		s.topics = append(s.topics, t)
	}
	return s
}

// openTray notes where the person's notifications stand now, unless the device goes on
// with the tray it has.
func (in *Inbox) openTray(s *seat) error {
	if !s.listens(notifications) {
		return nil
	}
	in.mu.Lock()
	before := in.devices[s.device]
	in.mu.Unlock()
	if before != nil && before.viewer == s.viewer && before.tray != nil {
		s.tray = before.tray
		return nil
	}
	if s.super {
		s.tray = &tray{cursors: map[string]int64{}, since: clock.Stamp(in.app)}
		return nil
	}
	t, err := readTray(in.app, s.person)
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", s.person, err)
	}
	s.tray = t
	return nil
}

// settle looks at what may have changed while the device sat down.
func (in *Inbox) settle(s *seat, auth *core.Record) error {
	if s.person != "" {
		var key string
		var top int64
		err := in.app.ConcurrentDB().Select("u.tokenKey", "coalesce(s.seq, 0)").From("users u").LeftJoin("settings s", dbx.NewExp("s.user = u.id")).
			Where(dbx.HashExp{"u.id": s.person}).Row(&key, &top)
		found, err := db.Found(err)
		if err != nil {
			return fmt.Errorf("read the credential of %s: %w", s.person, err)
		}
		if !found || key != auth.TokenKey() {
			return apis.NewUnauthorizedError("", nil) // or Drop would have come too early
		}
		if s.tray != nil && s.tray.behind(top) {
			in.tell(s.person, news{tray: true})
		}
	}
	if len(s.seen) == 0 {
		return nil
	}
	e := in.request(auth, subscriptions.SubscriptionOptions{})
	visible, err := in.visible(e, posts, slices.Collect(maps.Keys(s.seen)))
	if err != nil {
		return fmt.Errorf("subscribe to posts: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, post := range visible {
		s.seen[id] = true
		if w := in.posts[id]; w != nil {
			w.author = post.GetString("author")
		}
	}
	return nil
}
