package inbox

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func TestACollectionIsWatchedWhileSomebodyListensToIt(t *testing.T) {
	s := serve(t)
	likes, err := s.app.FindCollectionByNameOrId("likes")
	must(t, err)
	watched := func(want bool, when string) {
		t.Helper()
		if got := s.in.Watched("likes"); got != want {
			t.Errorf("%s: got %v", when, got)
		}
	}
	watched(false, "nobody")
	d := s.connect(s.token("ada"), "notifications/*", "likesome/*", "comment_likes/*", "likes/")
	watched(false, "other topics")
	for _, topic := range []string{"likes", "likes/*", "likes/abc", with("likes/*", `{"filter":"post='p1'"}`), likes.Id + "/*", likes.Id} {
		d.subscribe(topic, "notifications/*")
		watched(true, topic)
		if s.in.Watched("follows") {
			t.Error("follows is watched")
		}
		d.subscribe("notifications/*")
		watched(false, "given up "+topic)
	}
	d.subscribe("likes/*", "likes/abc", "likes/*")
	d.device().Unsubscribe("likes/*")
	watched(true, "one topic is left")
	d.device().Unsubscribe("likes/abc")
	watched(false, "none is left")

	d.subscribe("likes/*")
	twin := s.connect("", "likes/*")
	s.in.Drop("ada")
	watched(true, "the other one is left")
	s.app.SubscriptionsBroker().Unregister(twin.id)
	within(t, "their end", s.in.lines.Wait)
	watched(false, "all are gone")

	own := subscriptions.NewDefaultClient()
	s.app.SubscriptionsBroker().Register(own)
	watched(true, "a client that did not come in here")
	s.app.SubscriptionsBroker().Unregister(own.Id())
	watched(false, "it is gone")

	s.app.OnRealtimeMessageSend().BindFunc(func(e *core.RealtimeMessageEvent) error { return e.Next() })
	served := s.connect("", "notifications/*") // by PocketBase
	watched(false, "other topics")
	served.subscribe("likes/*")
	watched(true, "a device that PocketBase serves")
	s.app.SubscriptionsBroker().Unregister(served.id)
	watched(false, "it is gone, too")
}

func TestWatchedAgreesWithPocketBasesOwnSearch(t *testing.T) {
	s := serve(t)
	likes, err := s.app.FindCollectionByNameOrId("likes")
	must(t, err)
	broker := s.app.SubscriptionsBroker()
	topics := []string{"likes", "likes/*", "likes/abc", likes.Id + "/*", "posts/*", "posts/abc", "settings", with("likes/*", `{"fields":"id"}`)}
	random := rand.New(rand.NewPCG(1, 2))
	var devices []*device
	seen := map[bool]int{}
	for i := range 5000 {
		if len(devices) < 3 {
			d := newDevice(subscriptions.NewDefaultClient(), s.in.loop)
			broker.Register(d)
			s.in.loop.enter(d)
			devices = append(devices, d)
		}
		at := random.IntN(len(devices))
		d, topic := devices[at], topics[random.IntN(len(topics))]
		switch random.IntN(6) {
		case 0:
			d.Subscribe(topic, topics[random.IntN(len(topics))])
		case 1, 2:
			d.Unsubscribe(topic)
		case 3, 4:
			d.Unsubscribe()
		case 5:
			broker.Unregister(d.Id())
			d.Subscribe(topic) // too late
			devices = slices.Delete(devices, at, at+1)
		}
		for name, id := range map[string]string{"likes": likes.Id, "posts": "", "follows": ""} {
			want := false
			for _, client := range broker.Clients() {
				want = want || len(client.Subscriptions(name+"/", name+"?")) > 0 || id != "" && len(client.Subscriptions(id+"/")) > 0
			}
			if got := s.in.Watched(name); got != want {
				t.Fatalf("step %d: %s: got %v, want %v", i, name, got, want)
			}
			seen[want]++
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Errorf("one-sided: %v", seen)
	}
	for _, d := range devices {
		broker.Unregister(d.Id())
	}
	if len(s.in.loop.count) != 0 || s.in.loop.size != 0 {
		t.Errorf("%v and %d devices are left", s.in.loop.count, s.in.loop.size)
	}
}
