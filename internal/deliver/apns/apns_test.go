package apns

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
)

var (
	deviceToken = strings.Repeat("0a", 32)
	testMessage = &push.Message{Title: "Bob", Body: "liked your photo", Tag: "abcdefghij12345", Type: "like", Notification: "abcdefghij12345", URL: "https://example.com/p/1", Badge: 3}
)

func newTestChannel(t *testing.T, apple *delivertest.Phones, change ...func(*Config)) *Channel {
	t.Helper()
	app := delivertest.NewApp(t)
	outbound.ClientOf(app).TrustRoots(apple.Roots)
	config := Config{KeyFile: apple.Config, KeyID: delivertest.AppleKeyID, Team: delivertest.AppleTeam, Topic: delivertest.AppleTopic, Host: apple.URL}
	for _, c := range change {
		c(&config)
	}
	ch, err := New(app, config)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestAPhoneGetsTheMessage(t *testing.T) {
	apple := delivertest.NewApplePush(t)
	c := newTestChannel(t, apple)
	urgent := *testMessage
	urgent.Urgent = true
	for _, m := range []*push.Message{testMessage, &urgent} {
		if err := c.Push(t.Context(), &push.Device{ID: "d", Endpoint: deviceToken}, m); err != nil {
			t.Fatal(err)
		}
	}
	got := apple.Received()
	if len(got) != 2 {
		t.Fatalf("got %d messages, want 2", len(got))
	}
	h := got[0].Header
	if got[0].Token != deviceToken || h.Get("apns-collapse-id") != testMessage.Tag || h.Get("apns-push-type") != "alert" || h.Get("apns-priority") != "5" || h.Get("apns-expiration") == "" {
		t.Errorf("got headers %v", h)
	}
	body, _ := json.Marshal(got[0].Body)
	want := `{"aps":{"alert":{"body":"liked your photo","title":"Bob"},"badge":3,"thread-id":"abcdefghij12345"},"notification":"abcdefghij12345","type":"like","url":"https://example.com/p/1"}`
	if string(body) != want {
		t.Errorf("got %s, want %s", body, want)
	}
	if got[1].Header.Get("apns-priority") != "10" {
		t.Errorf("an urgent one: got %v", got[1].Header)
	}
}

func TestWhatRefusalsMean(t *testing.T) {
	for reason, gone := range map[string]bool{"Unregistered": true, "BadDeviceToken": true, "DeviceTokenNotForTopic": true, "PayloadTooLarge": false, "TooManyRequests": false} {
		apple := delivertest.NewApplePush(t)
		apple.Gone[deviceToken] = reason
		err := newTestChannel(t, apple).Push(t.Context(), &push.Device{ID: "d", Endpoint: deviceToken}, testMessage)
		if err == nil || errors.Is(err, push.ErrDeviceGone) != gone {
			t.Errorf("%s: got %v, want gone %v", reason, err, gone)
		}
	}
	apple := delivertest.NewApplePush(t)
	apple.Down = 503
	if err := newTestChannel(t, apple).Push(t.Context(), &push.Device{ID: "d", Endpoint: deviceToken}, testMessage); err == nil || errors.Is(err, push.ErrDeviceGone) {
		t.Errorf("down: got %v", err)
	}
}

// TestAHostThatMayNotBeAskedIsNotThePhonesFault: the operator has set it, or a name server answers wrongly for a while.
func TestAHostThatMayNotBeAskedIsNotThePhonesFault(t *testing.T) {
	c := newTestChannel(t, delivertest.NewApplePush(t), func(c *Config) { c.Host = "https://10.0.0.1" })
	if err := c.Push(t.Context(), &push.Device{ID: "d", Endpoint: deviceToken}, testMessage); err == nil || errors.Is(err, push.ErrDeviceGone) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheRightKeyGetsIn(t *testing.T) {
	apple := delivertest.NewApplePush(t)
	for what, change := range map[string]func(*Config){
		"another key":   func(c *Config) { c.KeyFile = delivertest.NewApplePush(t).Config },
		"another id":    func(c *Config) { c.KeyID = "other" },
		"another team":  func(c *Config) { c.Team = "other" },
		"another topic": func(c *Config) { c.Topic = "com.example.other" },
	} {
		err := newTestChannel(t, apple, change).Push(t.Context(), &push.Device{ID: "d", Endpoint: deviceToken}, testMessage)
		if err == nil || errors.Is(err, push.ErrDeviceGone) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if n := len(apple.Received()); n != 0 {
		t.Errorf("%d messages came through", n)
	}
}

func TestATokenIsNoPath(t *testing.T) {
	apple := delivertest.NewApplePush(t)
	c := newTestChannel(t, apple)
	for _, bad := range []string{"", "../../x", deviceToken + "/../x", deviceToken + "?x=1", deviceToken + "\r\nX: y", "https://example.com"} {
		if err := c.Push(t.Context(), &push.Device{ID: "d", Endpoint: bad}, testMessage); !errors.Is(err, push.ErrDeviceGone) {
			t.Errorf("%q: got %v, want %v", bad, err, push.ErrDeviceGone)
		}
	}
	if n := len(apple.Received()); n != 0 {
		t.Errorf("%d messages came through", n)
	}
}

func TestConfiguration(t *testing.T) {
	app := delivertest.NewApp(t)
	if c, err := New(app, Config{}); c != nil || err != nil {
		t.Errorf("without a key: got %v, %v", c, err)
	}
	if _, err := New(app, Config{KeyFile: "/nowhere"}); err == nil {
		t.Error("a key that is not there: no error")
	}
	if _, err := New(app, Config{KeyFile: delivertest.NewApplePush(t).Config}); err == nil {
		t.Error("half a configuration: no error")
	}
}
