package inbox

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/list"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/session"
)

// HandleSubscribe serves the topics of our collections, and leaves the others to PocketBase. What is committed after
// the answer reaches the device. Bind it to OnRealtimeSubscribeRequest.
func (in *Inbox) HandleSubscribe(e *core.RealtimeSubscribeRequestEvent) error {
	d, known := e.Client.(*device)
	if !known {
		return e.Next()
	}
	d.subscribing.Lock()
	defer d.subscribing.Unlock()

	ours := parseTopics(in.app, e.Subscriptions)
	if err := checkTopicLimits(e.Auth, e.Subscriptions, ours); err != nil {
		return err
	}
	s := newSubscription(d, e.Auth, ours)
	s.holder, s.rule = in.holderOf(d, e.Auth)
	if err := in.attachTray(s); err != nil {
		return err
	}
	was := d.Get(apis.RealtimeClientAuthKey)
	d.Set(apis.RealtimeClientAuthKey, e.Auth) // as PocketBase will do, but before the first message
	before, err := in.subscribe(d, s)
	if err != nil {
		d.Set(apis.RealtimeClientAuthKey, was)
		return err
	}
	err = in.catchUp(s, e.Auth)
	if err == nil {
		e.Subscriptions = withoutTopics(e.Subscriptions, ours)
		err = e.Next()
	}
	if err != nil {
		d.Set(apis.RealtimeClientAuthKey, was)
		in.restoreSubscription(d, before)
	}
	return err
}

// newSubscription returns the subscription that the topics ask for. It leaves out personal topics of anybody but users
// and superusers, who may see nothing of them.
func newSubscription(d *device, auth *core.Record, ours []topic) *subscription {
	s := &subscription{device: d, viewer: viewerKey(auth)}
	if auth != nil && auth.Collection().Name == "users" {
		s.person, s.session = auth.Id, session.Of(auth)
	}
	s.superuser = auth != nil && auth.IsSuperuser()
	for _, t := range ours {
		if t.isPersonal() && s.person == "" && !s.superuser {
			continue
		}
		if t.collection == posts && t.row != everyRow && t.row != "" {
			if s.inSight == nil {
				s.inSight = map[string]bool{}
			}
			s.inSight[t.row] = false
		}
		s.topics = append(s.topics, t)
	}
	return s
}

// attachTray gives the subscription a tray that starts at the person's last seq, or the tray that the device has
// already for the same viewer.
func (in *Inbox) attachTray(s *subscription) error {
	if !s.listensTo(notifications) {
		return nil
	}
	in.mu.Lock()
	before := in.devices[s.device]
	in.mu.Unlock()
	if before != nil && before.viewer == s.viewer && before.tray != nil {
		s.tray = before.tray
		return nil
	}
	if s.superuser {
		s.tray = &tray{cursors: map[string]int64{}, knownBefore: clock.Timestamp(in.app)}
		return nil
	}
	t, err := readTray(in.app, s.person)
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", s.person, err)
	}
	s.tray = t
	return nil
}

// catchUp sends what may have changed while the device was subscribing. It returns a 401 error when the person's
// tokens have died meanwhile or the account cannot be read.
func (in *Inbox) catchUp(s *subscription, auth *core.Record) error {
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
		if s.tray != nil && s.tray.isBehind(top) {
			in.updatePerson(s.person, update{tray: true})
		}
	}
	if len(s.inSight) == 0 {
		return nil
	}
	e := in.realtimeRequest(auth, subscriptions.SubscriptionOptions{})
	visible, err := in.findVisibleRows(e, posts, dbx.HashExp{"id": list.ToInterfaceSlice(slices.Collect(maps.Keys(s.inSight)))})
	if err != nil {
		return fmt.Errorf("subscribe to posts: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, post := range visible {
		s.inSight[post.Id] = true
		if w := in.watchedPosts[post.Id]; w != nil {
			w.author = post.GetString("author")
		}
	}
	return nil
}
